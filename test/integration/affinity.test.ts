import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs as timeout } from '../support/for-each-mode.js';
import { repositoryRoot } from '../support/repository.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { withDeadline } from '../support/with-deadline.js';

const SESSIONS = 20;
const MESSAGES = 5;

// Real servers and the real client. Without affinity most sessions by long polling are refused ("Session ID unknown").
for (const fixture of ['socket-io', 'flask-socket-io'] as const) {
  test(`${fixture}: each of 20 sessions by long polling keeps its process`, { timeout }, async (t) => {
    const site = await startEasyserve(t, {
      mode: 'cluster',
      // One front for every four would be two fronts.
      processes: 5,
      fixture,
      settings: { threads: 32 },
      prepare: (dir) => symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules')),
    });
    const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => open(t, site, ['polling'])));
    const answers = await Promise.all(sessions.map((session) => talk(session)));
    for (const { home, heard } of answers) assert.deepEqual([...heard], [home]);
    assert.ok(new Set(answers.map(({ home }) => home)).size > 1, 'they are spread over the processes');
    assert.ok(sessions.every(({ socket }) => socket.connected));
    assert.equal((await site.status()).sites.length, 1);

    // A reload gives the sessions up; clients connect again by themselves, and reach the new processes.
    const old = new Set((await site.apps()).map(({ pid }) => pid));
    const again = sessions.map(({ socket }) => once(socket, 'process'));
    const { code, stderr } = await site.cli('reload');
    assert.equal(code, 0, stderr);
    const homes = await withDeadline(Promise.all(again), 60_000, () => 'not all sessions came back');
    for (const home of homes) assert.ok(!old.has(Number(home)));

    // As browsers do it: long polling first, then the same session by WebSocket, which WSGI does not have.
    if (fixture === 'flask-socket-io') return;
    const upgraded = await open(t, site, ['polling', 'websocket']);
    await eventually(() => assert.equal(upgraded.socket.io.engine.transport.name, 'websocket'));
    const { home, heard } = await talk(upgraded);
    assert.deepEqual([...heard], [home]);
  });
}

interface Session {
  readonly socket: Socket;
  /** The process that began it. */
  readonly home: string;
}

async function open(t: TestContext, site: Easyserve, transports: string[]): Promise<Session> {
  const socket = io(site.url, { transports, forceNew: true, reconnectionDelay: 100 });
  t.after(() => socket.disconnect());
  const refused = new Promise<never>((_, reject) => socket.once('connect_error', reject));
  const home = await withDeadline(
    Promise.race([once(socket, 'process'), refused]),
    60_000,
    () => 'no session was opened',
  );
  return { socket, home };
}

function once(socket: Socket, event: string): Promise<string> {
  return new Promise((resolve) => socket.once(event, (pid: unknown) => resolve(String(pid))));
}

/** Which processes answer. */
async function talk({ socket, home }: Session): Promise<{ home: string; heard: ReadonlySet<string> }> {
  const heard = new Set<string>();
  for (let count = 0; count < MESSAGES; count += 1) {
    const answer: string = await socket.timeout(30_000).emitWithAck('echo', 'hello');
    heard.add(answer.replace('hello by ', ''));
  }
  return { home, heard };
}
