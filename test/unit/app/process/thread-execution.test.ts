import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NodeApplication } from '../../../support/node-application.js';

/** `deed` runs at the first request. */
async function startServing(t: TestContext, deed: string): Promise<NodeApplication> {
  const app = await NodeApplication.start(t, 'thread', {
    'app.cjs': `
      const kept = [];
      require('http').createServer((request, response) => { ${deed}; response.end('done'); }).listen(3000);`,
  });
  await app.seen('ready');
  return app;
}

async function endingAfter(t: TestContext, deed: string) {
  const app = await startServing(t, deed);
  app.get().catch(() => {}); // the thread ends before it answers
  const ending = await app.execution.ended;
  await app.execution.outputEnded;
  return { ...ending, output: app.output };
}

test('it is in this process, and has its own environment and output', async (t) => {
  const app = await startServing(
    t,
    "process.env.PATH = 'changed'; console.log('out'); console.error('err'); require('fs').writeSync(1, 'by number\\n')",
  );
  assert.equal(app.execution.pid, process.pid);
  assert.equal(app.execution.kind, 'thread');
  assert.equal(await app.get(), 'done');
  assert.notEqual(process.env.PATH, 'changed');
  app.send('stop');
  assert.equal((await app.execution.ended).code, 0);
  await app.execution.outputEnded;
  assert.deepEqual(app.output.split('\n').sort(), ['by number', 'err', 'out']);
});

test('writes to descriptors, in all their forms', async (t) => {
  const app = await startServing(
    t,
    `const fs = require('fs'); const bytes = Buffer.from('-whole part-');
     fs.writeSync(2, bytes, 7, 4); fs.writeSync(1, 'text', null, 'utf8'); fs.writeSync(1, bytes, { offset: 1, length: 5 });
     fs.write(1, bytes, 1, 5, null, (error, written, given) => console.log(error, written, given === bytes));
     fs.write(1, 'end\\n', (error, written) => console.log(written))`,
  );
  await app.get();
  app.send('stop');
  await app.execution.ended;
  await app.execution.outputEnded;
  assert.match(app.output, /part/);
  assert.match(app.output, /textwholewholeend/);
  assert.match(app.output, /null 5 true/);
});

test('an exception ends it, and its stack is in the output', async (t) => {
  const { code, signal, output } = await endingAfter(t, "throw new TypeError('on purpose')");
  assert.deepEqual({ code, signal }, { code: 1, signal: null });
  assert.match(output, /^TypeError: on purpose\n {4}at .*app\.cjs:3/m);
});

test('what is thrown need not be an error', async (t) => {
  const { code, output } = await endingAfter(t, "throw 'a word'");
  assert.equal(code, 1);
  assert.match(output, /a word/);
});

test('process.exit ends it with its code', async (t) => {
  const { code, signal } = await endingAfter(t, 'process.exit(7)');
  assert.deepEqual({ code, signal }, { code: 7, signal: null });
});

test('SIGKILL ends an endless loop', async (t) => {
  const app = await startServing(t, 'for (;;);');
  app.get().catch(() => {}); // is never answered
  app.execution.signal('SIGTERM');
  app.execution.signal('SIGKILL');
  assert.equal((await app.execution.ended).signal, 'SIGKILL');
});

for (const [what, deed] of [
  ['small objects', 'for (;;) kept.push({ size: kept.length })'],
  ['one array, whose growth is one large allocation', 'for (;;) kept.push(kept.length + 0.5)'],
  ['buffers, which are in no heap', 'for (;;) kept.push(Buffer.alloc(1_000_000, 1))'],
] as const) {
  test(`memory exhaustion ends it, and nothing else: ${what}`, async (t) => {
    const { reason } = await endingAfter(t, deed);
    assert.match(reason ?? '', /^its thread ran out of memory: threads may use \d+ MB$/);
  });
}

test('a thread that has grown wants to be a process', async (t) => {
  const app = await startServing(t, 'kept.push(Buffer.alloc(200_000_000, 1))');
  assert.equal(await app.get(), 'done');
  const { reason, isReady } = await app.unfitness();
  assert.match(reason, /^it uses \d+ MB of memory$/);
  assert.equal(isReady, true);
  assert.ok(((await app.execution.memoryBytes()) ?? 0) > 200_000_000);
});

test('a thread in an endless loop does not tell its size', async (t) => {
  const app = await startServing(t, "process.stdout.write('loops\\n', () => {}); for (;;);");
  assert.ok(((await app.execution.memoryBytes()) ?? 0) > 1_000_000);
  app.get().catch(() => {}); // is never answered
  const sizes: (number | undefined)[] = [];
  while (!sizes.includes(undefined)) sizes.push(await app.execution.memoryBytes());
  assert.equal(sizes.at(-1), undefined);
});

for (const [deed, reason] of [
  ["process.chdir('/')", /^it calls process\.chdir\(\)$/],
  ['process.setuid(0)', /^it calls process\.setuid\(\)$/],
  ["process.once('SIGTERM', () => {})", /^it listens for the signal SIGTERM$/],
  ["require('child_process').spawn('true')", /^it starts another process$/],
  ['process.dlopen({ exports: {} }, __filename)', /^the addon .*app\.cjs can't be loaded in a thread$/],
] as const) {
  test(`needs a process, before it is ready: ${deed}`, async (t) => {
    const app = await NodeApplication.start(t, 'thread', {
      'app.cjs': `try { ${deed} } finally { require('http').createServer().listen(3000) }`,
    });
    const unfitness = await app.unfitness();
    assert.match(unfitness.reason, reason);
    assert.equal(unfitness.isReady, false);
    await app.execution.ended;
    assert.deepEqual(
      app.events.filter(({ event }) => event === 'ready'),
      [],
    );
  });
}

test('needs a process, when it serves already: Node refuses, as in any thread, and it goes on', async (t) => {
  const app = await startServing(
    t,
    "try { process.chdir('/') } catch (error) { response.end(error.code); return }",
  );
  assert.equal(await app.get(), 'ERR_WORKER_UNSUPPORTED_OPERATION');
  assert.deepEqual(await app.unfitness(), { reason: 'it calls process.chdir()', isReady: true });
  assert.equal(await app.get(), 'ERR_WORKER_UNSUPPORTED_OPERATION');
});

test('flags that no thread takes', async (t) => {
  const source = { 'app.cjs': "require('http').createServer().listen(3000)" };
  await assert.rejects(NodeApplication.start(t, 'thread', source, ['--expose-gc']), {
    code: 'ERR_WORKER_INVALID_EXEC_ARGV',
  });
  const app = await NodeApplication.start(t, 'thread', source, ['--enable-source-maps']);
  await app.seen('ready');
});
