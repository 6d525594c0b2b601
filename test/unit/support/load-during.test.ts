import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Fault, startEchoServer } from '../../support/echo-server.js';
import { expectNoFailures, loadDuring, type Tally } from '../../support/load-during.js';

const nothing = async () => undefined;

test('counts only good answers of a good server, half of them on kept connections', async (t) => {
  const { url } = await startEchoServer(t);
  const tally = await loadDuring(url, { connections: 4, minRequests: 400 }, nothing);
  expectNoFailures(tally, { atLeast: 400, versions: ['v1'] });
  assert.ok(tally.reused > 150 && tally.reused <= tally.sent / 2, `${tally.reused} of ${tally.sent} reused`);
});

test('goes on until the action has resolved, and sees both versions', async (t) => {
  let version = 'v1';
  const { url, server } = await startEchoServer(t, { version: () => version });
  const answered = (count: number) =>
    new Promise<void>((resolve) => {
      let seen = 0;
      server.on('request', () => {
        if (++seen === count) resolve();
      });
    });
  const tally = await loadDuring(url, {}, async () => {
    await answered(150);
    version = 'v2';
    await answered(150);
  });
  expectNoFailures(tally, { atLeast: 300, versions: ['v1', 'v2'] });
});

test('rejects with the error of the action, after the clients have stopped', async (t) => {
  const { url } = await startEchoServer(t);
  await assert.rejects(
    loadDuring(url, {}, () => Promise.reject(new Error('the reload failed'))),
    /the reload failed/,
  );
});

const everyNowAndThen =
  (fault: Fault): Fault =>
  (n, request, response, answer) =>
    n % 47 === 46 && fault(n, request, response, answer);

const faults: Record<string, { kind: string; fault: Fault }> = {
  'a connection reset before the answer': {
    kind: 'reset',
    fault: (_n, request) => {
      request.socket.resetAndDestroy();
      return true;
    },
  },
  'a connection closed before the answer': {
    kind: 'reset',
    fault: (_n, request) => {
      request.socket.end();
      return true;
    },
  },
  'a body cut short': {
    kind: 'truncated',
    fault: (_n, request, response, answer) => {
      response.writeHead(200, { ...answer.headers, 'Content-Length': answer.body.length });
      response.write(answer.body.subarray(0, 20), () => request.socket.destroy());
      return true;
    },
  },
  'a chunked body without its end': {
    kind: 'truncated',
    fault: (_n, request, response, answer) => {
      response.writeHead(200, answer.headers);
      response.write(answer.body, () => request.socket.end());
      return true;
    },
  },
  'a body with one byte changed': {
    kind: 'body',
    fault: (_n, _request, _response, answer) => {
      answer.body[answer.body.length - 3] = 0x21;
      return false;
    },
  },
  "another request's answer": {
    kind: 'body',
    fault: (_n, _request, _response, answer) => {
      answer.body = Buffer.from(answer.body.toString().replace('tag=', 'tag=9'));
      answer.headers['X-Fixture-Digest'] = createHash('sha256').update(answer.body).digest('hex');
      return false;
    },
  },
  'bytes behind the answer': {
    kind: 'body',
    fault: (_n, request, _response, answer) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${answer.body.length}\r\nX-Fixture-Digest: ${answer.headers['X-Fixture-Digest']}\r\n\r\n`;
      request.socket.write(Buffer.concat([Buffer.from(head), answer.body, Buffer.from('HTTP/1.1 200 OK')]));
      return true;
    },
  },
  'an answer whose end nobody can know': {
    kind: 'body',
    fault: (_n, request, _response, answer) => {
      request.socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), answer.body]));
      return true;
    },
  },
  'a 503': {
    kind: 'status',
    fault: (_n, _request, _response, answer) => {
      answer.status = 503;
      return false;
    },
  },
};

for (const [name, { kind, fault }] of Object.entries(faults)) {
  test(`notices ${name}`, async (t) => {
    const { url } = await startEchoServer(t, { fault: everyNowAndThen(fault) });
    const tally = await loadDuring(url, { connections: 4, minRequests: 500 }, nothing);
    assert.deepEqual([...new Set(tally.failures.map((failure) => failure.kind))], [kind]);
    assert.ok(tally.failures.length >= 9, `${tally.failures.length} failures`);
    assert.ok(
      tally.failures.some((failure) => failure.reused) && tally.failures.some((failure) => !failure.reused),
      'on fresh and on kept connections',
    );
    assert.equal(tally.ok + tally.failures.length, tally.sent);
    assert.throws(() => expectNoFailures(tally, { atLeast: 1 }), /requests failed/);
  });
}

test('notices an answer that never comes', async (t) => {
  const { url } = await startEchoServer(t, { fault: (n) => n === 10 });
  const tally = await loadDuring(url, { connections: 2, minRequests: 60, requestTimeoutMs: 200 }, nothing);
  assert.deepEqual(
    tally.failures.map((failure) => failure.kind),
    ['timeout'],
  );
});

test('notices a server that went away: refused, and nothing tried twice', async (t) => {
  const { url, server } = await startEchoServer(t);
  server.close();
  const tally = await loadDuring(url, { connections: 2, minRequests: 20 }, nothing);
  assert.equal(tally.ok, 0);
  assert.deepEqual([...new Set(tally.failures.map((failure) => failure.kind))], ['refused']);
  assert.equal(tally.failures.length, tally.sent);
});

test('notices a kept connection that the server ends between two requests', async (t) => {
  const { url } = await startEchoServer(t, {
    fault: (n, request, response) => {
      if (n % 20 === 19) response.once('finish', () => setImmediate(() => request.socket.end()));
      return false;
    },
  });
  const tally = await loadDuring(url, { connections: 4, minRequests: 400 }, nothing);
  assert.ok(tally.idleEnds.length + tally.failures.length > 0);
  assert.throws(() => expectNoFailures(tally, { atLeast: 400 }), /connections were ended|requests failed/);
});

test('expectNoFailures cannot pass emptily', () => {
  const tally: Tally = {
    sent: 100,
    ok: 100,
    reused: 50,
    byVersion: { v1: 100 },
    failures: [],
    idleEnds: [],
    durationMs: 1,
  };
  expectNoFailures(tally, { atLeast: 100, versions: ['v1'] });
  assert.throws(() => expectNoFailures(tally, { atLeast: 101 }), /fewer than 101/);
  assert.throws(() => expectNoFailures(tally, { atLeast: 1, versions: ['v1', 'v2'] }), /no answer from v2/);
  assert.throws(() => expectNoFailures({ ...tally, reused: 3 }, { atLeast: 1 }), /kept connections/);
  assert.throws(() => expectNoFailures({ ...tally, ok: 99 }, { atLeast: 1 }), /lost count/);
});
