import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect garbage earlier in the supervisor, which in single mode holds the front of one application process, as a
 * rule on a small machine. It saves 40 MB under load, and costs up to a tenth of the front's speed, over HTTP/2 a quarter
 * (docs/benchmarks.md). The workers of a cluster keep V8's defaults. Best called before most modules are loaded.
 *
 * V8 reads both flags whenever it looks at the size of its heap, so they may be set after the start;
 * --max-semi-space-size, which would do the same as the first, may not. V8 promises nothing about its flags: a test looks for
 * their effect on every supported Node.
 */
export function keepHeapSmall(): void {
  // The space for young objects stays at its first size instead of growing to 16 MB twice.
  setFlagsFromString('--semi-space-growth-factor=1');
  // The rest is collected when it is 40 % larger than after the last time.
  setFlagsFromString('--heap-growing-percent=40');
}

/** V8's defaults again, where the front serves everything by itself: a folder of files. */
export function letHeapGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--heap-growing-percent=0');
}
