import assert from 'node:assert/strict';
import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { NodeApplication } from '../../../support/node-application.js';
import { killProcess } from '../../../support/processes.js';

/** Node 22.18 and newer run TypeScript as it is; @types/node 20 does not know the property. */
const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);

function appTest(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: 60_000 }, body);
}

/** Starts it, waits until it is ready, and asks for /. */
async function answerOf(
  t: TestContext,
  files: Record<string, string>,
  nodeArgs: readonly string[] = [],
): Promise<string> {
  const app = await NodeApplication.start(t, files, nodeArgs);
  await app.seen('ready');
  return app.get();
}

async function failureOf(t: TestContext, source: string, name = 'app.cjs') {
  const app = await NodeApplication.start(t, { [name]: source });
  const failure = await app.seen('failed');
  await app.group.ended;
  await app.group.outputEnded;
  return { failure, output: app.output };
}

appTest('CommonJS is as under plain node', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const facts = [require.main === module, process.mainModule === module, process.argv[1] === __filename,
        process.argv[2], process.execArgv.length, Object.keys(process.env).filter((name) => name.startsWith('EASYSERVE_NODE')).length,
        require('worker_threads').isMainThread, require('worker_threads').workerData];
      require('http').createServer((request, response) => response.end(JSON.stringify(facts))).listen(3000);`,
  });
  assert.deepEqual(JSON.parse(answer), [true, true, true, 'word', 0, 0, true, null]);
});

appTest('an ES module with top-level await, listening on a path of its own', async (t) => {
  const answer = await answerOf(t, {
    'app.mjs': `
      import { createServer } from 'node:http';
      import { isMainThread } from 'node:worker_threads';
      await new Promise((resolve) => setImmediate(resolve));
      const server = createServer((request, response) => response.end(String([isMainThread, process.argv[2]])));
      server.listen({ path: '/nowhere/app.sock' });`,
  });
  assert.equal(answer, 'true,word');
});

if (stripsTypes) {
  appTest('TypeScript', async (t) => {
    const source = `
      import { createServer } from 'node:http';
      const answer: string = 'typed';
      createServer((request, response) => response.end(answer)).listen(3000);`;
    assert.equal(await answerOf(t, { 'app.mts': source }), 'typed');
  });
}

appTest('the address that is told, the callback, and the event', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const seen = [];
      const server = require('http').createServer((request, response) => response.end(JSON.stringify(seen)));
      server.on('listening', () => seen.push('event', server.listening));
      const same = server.listen('3000', '127.0.0.1', function () { seen.push('callback', this === server, server.address().port); });
      seen.push(same === server);`,
  });
  assert.deepEqual(new Set(JSON.parse(answer)), new Set([true, 'event', 'callback', 3000]));
});

appTest('the client of each request, and limits that are left to the front', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': `
      const server = require('http').createServer(({ socket }, response) => response.end(JSON.stringify(
        [socket.remoteAddress, socket.remoteFamily, socket.encrypted, server.keepAliveTimeout, server.requestTimeout])));
      server.listen(3000);`,
  });
  await app.seen('ready');
  const ask = (address: string, scheme: string) =>
    app.get('/', { 'x-forwarded-for': address, 'x-forwarded-proto': scheme }).then(JSON.parse);
  assert.deepEqual(await ask('203.0.113.7', 'https'), ['203.0.113.7', 'IPv4', true, 75_000, 0]);
  assert.deepEqual(await ask('2001:db8::7', 'http'), ['2001:db8::7', 'IPv6', false, 75_000, 0]);
});

const handler = "(request, response) => response.end('exported as ' + process.argv[2])";
for (const [name, file, source] of [
  ['module.exports', 'app.cjs', `module.exports = ${handler}`],
  ['exports.handler', 'app.cjs', `exports.handler = ${handler}`],
  ['export default', 'app.mjs', `export default ${handler}`],
  [
    'a server',
    'app.mjs',
    `import { createServer } from 'node:http'; export const server = createServer(${handler})`,
  ],
  [
    'an object with listen()',
    'app.cjs',
    `exports.app = { listen: (options) => require('http').createServer(${handler}).listen(options) }`,
  ],
  [
    'a handler beside something that goes on',
    'app.cjs',
    `setInterval(() => {}, 1000); module.exports = ${handler}`,
  ],
] as const) {
  appTest(`exported: ${name}`, async (t) => {
    assert.equal(await answerOf(t, { [file]: source }), 'exported as word');
  });
}

appTest('what listens by itself, late, is not preceded by what is exported', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const { createServer } = require('http');
      module.exports = createServer((request, response) => response.end('not initialised'));
      setTimeout(() => createServer((request, response) => response.end('listens')).listen(3000), 200);`,
  });
  assert.equal(answer, 'listens');
});

appTest('a second server for the same port is one for another address', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const { createServer } = require('http');
      const first = createServer((request, response) => response.end('first')).listen(3000, '127.0.0.1');
      const second = createServer().listen(3000, '::1', () => {
        if (!second.listening || second.address().port !== 3000) throw new Error('it does not listen');
        second.close(() => console.log('closed'));
      });`,
  });
  assert.equal(answer, 'first');
});

appTest('a server that is no HTTP listens where it wants', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const plain = require('net').createServer((socket) => socket.end('plain')).listen(0, '127.0.0.1', () => {
        const { port } = plain.address();
        plain.close(() => require('http').createServer((request, response) => response.end(String(port > 1024))).listen(port));
      });`,
  });
  assert.equal(answer, 'true');
});

appTest('listens twice', async (t) => {
  const { failure } = await failureOf(
    t,
    `const { createServer } = require('http'); createServer().listen(3001); createServer().listen(9090);`,
  );
  assert.equal(failure.reason, 'it listens twice, on port 3001 and on port 9090');
  assert.equal(
    failure.hint,
    'Name the one that is not the site: easyserve start --set appPorts=3001 or 9090',
  );
});

appTest('a second server once it is ready is an error of that server', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': `
      const { createServer } = require('http');
      createServer((request, response) => {
        createServer().listen(9090).once('error', (error) => response.end(error.message));
      }).listen(3001);`,
  });
  await app.seen('ready');
  assert.match(await app.get(), /it listens twice, on port 3001 and on port 9090/);
});

appTest('beside a site on PORT others listen on their own ports', async (t) => {
  const answer = await answerOf(t, {
    'app.cjs': `
      const { createServer, get } = require('http');
      createServer((request, response) => response.end(metrics.address().port + ' ' + seen)).listen(process.env.PORT);
      let seen;
      const metrics = createServer((request, response) => response.end('metrics')).listen(0, '127.0.0.1', () => {
        get({ port: metrics.address().port }, (response) => response.on('data', (text) => (seen = String(text))));
      });`,
  });
  assert.match(answer, /^[1-9]\d+ (metrics|undefined)$/);
});

appTest('a port of its own that another process still has is listened on once it is free', async (t) => {
  const older = createServer((socket) => socket.end());
  t.after(() => older.close());
  await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve));
  const { port } = older.address() as AddressInfo;
  const app = await NodeApplication.start(t, {
    'app.cjs': `
      const { createServer } = require('http');
      const metrics = createServer((request, response) => response.end('metrics'));
      createServer((request, response) => response.end(String(metrics.listening))).listen(process.env.PORT, () => {
        metrics.listen(${port}, '127.0.0.1', () => console.log('metrics are there'));
        metrics.once('error', () => process.exit(1));
      });`,
  });
  await app.seen('ready');
  await eventually(() => assert.match(app.output, /port \d+ is taken.*\n.*metrics are there/s));
  assert.equal(await app.get(), 'true');
  older.close();
  await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(await answer.text(), 'metrics');
  });
  app.send('stop');
  await app.group.ended;
});

appTest('a Unix socket that it wants to listen on leads to ours, and its mode can be set', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': `
      const { chmodSync, existsSync, unlinkSync } = require('fs');
      const path = __dirname + '/own.sock';
      if (existsSync(path)) unlinkSync(path);
      const server = require('http').createServer((request, response) => response.end(String(server.address())));
      server.listen(path, () => chmodSync(path, 0o666));`,
  });
  await app.seen('ready');
  const path = join(dirname(app.socketPath), 'own.sock');
  assert.equal(await app.get(), path);
  assert.equal(readlinkSync(path), app.socketPath);
  assert.equal(statSync(path).mode & 0o777, 0o666);
  app.send('stop');
  await app.group.ended;
  assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined);
});

for (const [language, source] of [
  ['HTTPS', "require('https').createServer({}).listen(443)"],
  ['HTTP/2', "require('http2').createServer().listen(3000)"],
] as const) {
  appTest(`listens for ${language}`, async (t) => {
    const { failure } = await failureOf(t, source);
    assert.equal(failure.reason, `it listens for ${language}, which easyserve does itself`);
  });
}

appTest('a port that is none is the error that Node makes of it', async (t) => {
  const { failure } = await failureOf(t, "require('http').createServer().listen(70000)");
  assert.match(failure.reason ?? '', /^RangeError: options\.port should be >= 0 and < 65536/);
});

appTest('ends without listening', async (t) => {
  const { failure } = await failureOf(t, 'console.log("done")');
  assert.equal(failure.reason, 'it ended without listening, and exports neither a handler nor a server');
});

appTest('calls process.exit before it listens', async (t) => {
  const { failure } = await failureOf(t, 'process.exit(0)');
  assert.equal(failure.reason, 'it called process.exit(0) before it listened');
});

appTest('forks a cluster', async (t) => {
  const { failure } = await failureOf(t, "require('cluster').fork()");
  assert.equal(failure.reason, 'it forks a cluster of its own');
  assert.match(failure.hint ?? '', /--processes auto/);
});

appTest('a syntax error', async (t) => {
  const { failure, output } = await failureOf(t, '\nconst x = ;');
  assert.equal(failure.reason, "SyntaxError: Unexpected token ';'");
  assert.match(output, /app\.cjs:2\nconst x = ;/);
});

appTest('a rejected promise, in an ES module', async (t) => {
  const { failure, output } = await failureOf(
    t,
    "await Promise.reject(new TypeError('no database'))",
    'app.mjs',
  );
  assert.equal(failure.reason, 'TypeError: no database');
  assert.match(output, /app\.mjs:1/);
});

appTest('what it waits for', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': "require('http').createServer().listen(3000)",
  });
  await app.seen('ready');
  app.send('stacks');
  assert.match((await app.seen('stacks')).stacks?.main ?? '', /^Its event loop is free/);
});

appTest('a stop ends it with its streams', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': "require('http').createServer((request, response) => response.write('first')).listen(3000)",
  });
  await app.seen('ready');
  const streamed = app.get();
  streamed.catch(() => {}); // asserted below
  app.send('stop');
  const { code, signal } = await app.group.ended;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  await assert.rejects(streamed);
});

appTest(
  'SIGTERM, SIGINT and SIGQUIT from elsewhere ask for a successor; the application gets its own when easyserve stops it',
  async (t) => {
    const app = await NodeApplication.start(t, {
      'app.cjs': `
      process.on('SIGTERM', (name, number) => process.exit(name === 'SIGTERM' && number === 15 ? 41 : 1));
      require('http').createServer((request, response) => response.end('serves')).listen(3000);`,
    });
    await app.seen('ready');
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM'] as const) killProcess(app.group.pid, signal);
    await app.seen('terminated');
    assert.equal(await app.get(), 'serves');
    app.send('stop');
    app.group.signal('SIGTERM');
    assert.equal((await app.group.ended).code, 41);
  },
);

appTest('in an endless loop it ends when easyserve has gone', async (t) => {
  const app = await NodeApplication.start(t, {
    'app.cjs': "require('http').createServer(() => { for (;;); }).listen(3000)",
  });
  await app.seen('ready');
  app.get().catch(() => {}); // is never answered
  app.group.control?.destroy();
  assert.equal((await app.group.ended).signal, 'SIGKILL');
});
