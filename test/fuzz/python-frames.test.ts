import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame } from '../../src/front/upstream/frames.js';
import { cuts, frame, piecesOf } from '../support/arbitraries.js';
import { checkAll } from '../support/for-all.js';
import { testPython } from '../support/python-env.js';
import { repositoryRoot } from '../support/repository.js';

// The gateway's end of its protocol: what the front's encoder wrote is read by Python's decoder, and written again.

const limit = { timeout: 600_000 };

interface Outcome {
  readonly count: number;
  readonly sent: string;
}

/** One process for all inputs. */
function startReader(t: TestContext): (pieces: readonly Buffer[]) => Promise<Outcome> {
  const child = spawn(testPython(), [join(repositoryRoot, 'test', 'support', 'python-frames.py')], {
    env: {
      ...process.env,
      PYTHONPATH: join(repositoryRoot, 'src', 'app', 'python'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (pieces) => {
    child.stdin.write(`${JSON.stringify(pieces.map((piece) => piece.toString('base64')))}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'the reader has ended: its traceback is above');
    return JSON.parse(value) as Outcome;
  };
}

test('Python: frames come out as they went in, wherever the connection cuts them', limit, async (t) => {
  const read = startReader(t);
  await checkAll(
    fc.record({ frames: fc.array(frame, { maxLength: 6 }), cuts }),
    async ({ frames, cuts }) => {
      const bytes = Buffer.concat(
        frames.map(({ kind, flags, head, body }) => encodeFrame(kind, flags, head, body)),
      );
      const { count, sent } = await read(piecesOf(bytes, cuts));
      assert.equal(count, frames.length);
      assert.equal(digestOf(Buffer.from(sent, 'base64')), digestOf(bytes));
    },
    { shareOfRuns: 0.3 },
  );
});

test('Python: of a stream that ends early, nothing but whole frames comes out', limit, async (t) => {
  const read = startReader(t);
  await checkAll(
    fc.record({ frames: fc.array(frame, { minLength: 1, maxLength: 4 }), cuts, lost: fc.nat(2_000) }),
    async ({ frames, cuts, lost }) => {
      const encoded = frames.map(({ kind, flags, head, body }) => encodeFrame(kind, flags, head, body));
      const bytes = Buffer.concat(encoded);
      const left = bytes.subarray(0, Math.max(0, bytes.length - lost));
      const { count, sent } = await read(piecesOf(left, cuts));
      const whole = Buffer.concat(encoded.slice(0, count));
      assert.equal(digestOf(Buffer.from(sent, 'base64')), digestOf(whole));
      assert.ok(
        whole.length <= left.length && left.length < whole.length + (encoded[count]?.length ?? Infinity),
      );
    },
    { shareOfRuns: 0.3 },
  );
});

function digestOf(bytes: Buffer): string {
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
}
