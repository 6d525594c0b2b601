import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Write = (descriptor: number, data: unknown, ...rest: unknown[]) => unknown;

/**
 * Descriptors 1 and 2 belong to the process, and so to easyserve. Whoever writes to them by number in a thread (pino, the
 * logger of Fastify, does) means its own output, which is a line of the application's log.
 */
export function redirectDescriptors(): void {
  const calls = fs as unknown as Record<'write' | 'writeSync', Write>;
  const { write, writeSync } = calls;
  calls.writeSync = (descriptor, data, ...rest) => {
    const stream = streamOf(descriptor);
    if (stream === undefined) return writeSync(descriptor, data, ...rest);
    const bytes = toBytes(data, rest);
    stream.write(bytes);
    return bytes.length;
  };
  calls.write = (descriptor, data, ...rest) => {
    const stream = streamOf(descriptor);
    const done = rest.at(-1);
    if (stream === undefined || typeof done !== 'function') return write(descriptor, data, ...rest);
    const bytes = toBytes(data, rest);
    stream.write(bytes, (error) => done(error ?? null, bytes.length, data));
    return undefined;
  };
  syncBuiltinESMExports();
}

// Private

function streamOf(descriptor: number): NodeJS.WriteStream | undefined {
  if (descriptor === 1) return process.stdout;
  return descriptor === 2 ? process.stderr : undefined;
}

/** (string, position?, encoding?), (buffer, offset?, length?), or (buffer, {offset, length}): fs.write. */
function toBytes(data: unknown, [first, second]: readonly unknown[]): Buffer {
  if (typeof data === 'string') {
    return Buffer.from(data, typeof second === 'string' ? (second as BufferEncoding) : 'utf8');
  }
  const view = data as NodeJS.ArrayBufferView;
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const named = typeof first === 'object' && first !== null ? (first as fs.WriteOptions) : undefined;
  const offset = named === undefined ? toNumber(first) : toNumber(named.offset);
  const length = named === undefined ? toNumber(second) : toNumber(named.length);
  const start = offset ?? 0;
  // A copy: the stream may write it later, and the caller may use its buffer again.
  return Buffer.from(bytes.subarray(start, length === undefined ? undefined : start + length));
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
