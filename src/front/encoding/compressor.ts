import { Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';

/** What the application's responses are compressed with; static files may have other encodings too. */
export type DynamicEncoding = 'br' | 'gzip';

/**
 * Up to here a body that is known whole is compressed at once, on the event loop; above, through
 * createCompressor.
 *
 * Measured on Node 20: zlib's asynchronous calls keep the loop busy for 40 to 100 µs each by themselves, and
 * double the CPU time in all. Brotli 4 takes 25 µs for 4 kB and 75 µs for 20 kB of HTML, so up to about 32 kB
 * the direct call is better in every way.
 */
export const maxDirectBytes = 32 * 1024;

// Brotli 4 and gzip 6 are where more effort stops paying for bytes made on the spot. A window of 2^19 is
// nginx's default for brotli: large enough for pages, and a bound on what each open stream can hold.
const brotliParameters = {
  [zlib.constants.BROTLI_PARAM_QUALITY]: 4,
  [zlib.constants.BROTLI_PARAM_LGWIN]: 19,
};
const gzipOptions = { level: 6 };

/** For bodies up to maxDirectBytes. */
export function compressDirectly(encoding: DynamicEncoding, body: Buffer): Buffer {
  if (encoding === 'gzip') return zlib.gzipSync(body, gzipOptions);
  const params = { ...brotliParameters, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length };
  return zlib.brotliCompressSync(body, { params });
}

/** A stream from plain to compressed bytes, for bodies that are long or come piece by piece. */
export function createCompressor(encoding: DynamicEncoding): Transform {
  if (encoding === 'gzip') return new FlushingCompressor(zlib.createGzip(gzipOptions));
  return new FlushingCompressor(zlib.createBrotliCompress({ params: brotliParameters }));
}

// Private

/**
 * Lets out what zlib holds back as soon as the application pauses, so that a page which is streamed arrives
 * piece by piece. While chunks keep coming there is no flush, because each one costs some bytes.
 */
class FlushingCompressor extends Transform {
  readonly #zlib: zlib.Gzip | zlib.BrotliCompress;
  #chunks = 0;

  constructor(inner: zlib.Gzip | zlib.BrotliCompress) {
    super();
    this.#zlib = inner;
    inner.on('data', (compressed: Buffer) => this.push(compressed));
    inner.on('error', (error) => this.destroy(error));
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#chunks += 1;
    const sequence = this.#chunks;
    // The callback comes when zlib has taken the chunk in. Transform asks for the next one only when its reader has room as well.
    this.#zlib.write(chunk, (error) => {
      done(error);
      setImmediate(() => this.#flushUnlessFollowed(sequence));
    });
  }

  override _flush(done: TransformCallback): void {
    this.#zlib.once('end', () => done());
    this.#zlib.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#zlib.destroy();
    done(error);
  }

  #flushUnlessFollowed(sequence: number): void {
    if (sequence === this.#chunks && !this.#zlib.writableEnded && !this.#zlib.destroyed) this.#zlib.flush();
  }
}
