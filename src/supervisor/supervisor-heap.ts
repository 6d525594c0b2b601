import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect garbage earlier in this process: 40 MB less under load, and up to a tenth of the front's speed, a quarter of
 * it over HTTP/2. For the supervisor, called by cli/start, before most is loaded, and by createRunner: in single mode it is the front too, as a rule of a site that one
 * application process serves on a small machine. The workers of a cluster have V8's defaults.
 *
 * Both are read whenever V8 looks at the size of its heap, hence they may be set after the start; the option of the command
 * line for the first, --max-semi-space-size, would take another process. V8's flags have no promise, so a test looks for their effect
 * on every supported Node; docs/benchmarks.md has the figures.
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
