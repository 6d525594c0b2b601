import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { Agent, get, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { listSystemCalls } from '../support/strace.js';

/**
 * Guards the speed by counting work and not time, which is the same on every machine: how often front and application call the
 * kernel for one request, on a keep-alive connection, one request after the other, with all defaults (access log included).
 *
 * Each bound is a little above what was counted when it was written. Where one is exceeded, the message says which call is new: take
 * it away, or raise the bound together with the reason.
 */
const requests = 500;

interface Wanted {
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly status: number;
}

test('system calls for each request stay below their bounds', async (t) => {
  const easyserve = await startEasyserve(t, {
    mode: 'single',
    fixture: 'django-minimal',
    prepare: addStatic,
  });
  const [front = 0] = await easyserve.sitePids();
  const [application = 0] = await easyserve.appPids();
  const { headers } = await ask(easyserve.url, '/static/style.css');

  const run = (wanted: Wanted, bounds: Bounds) =>
    expectAtMost(t, easyserve, { front, application }, wanted, bounds);

  await t.test('the minimal view through the gateway', () =>
    // The front reads and writes at both its sides, and log lines in batches; the application reads one frame and writes one.
    run({ path: '/', status: 200 }, { front: 4.4, application: 2.1, wakeUps: 3.4 }),
  );

  await t.test('a static file from memory', () =>
    run({ path: '/static/style.css', status: 200 }, { front: 2.4, application: 0.1, wakeUps: 2.4 }),
  );

  await t.test('a static file that has not changed', () =>
    run(
      { path: '/static/style.css', headers: { 'if-none-match': headers.etag }, status: 304 },
      { front: 2.4, application: 0.1, wakeUps: 2.4 },
    ),
  );
});

/**
 * The most for each request: calls of front and application that move bytes or the like, and turns of the front's event loop, which
 * change with how fast the others are and so have more room.
 */
type Bounds = Readonly<Record<'front' | 'application' | 'wakeUps', number>>;

/**
 * What changes with the time that passes, and so with the machine, is not counted as work: how often a process waits, or one of its
 * threads is woken; how many lines of the access log leave in one write; tidying up memory.
 */
const waiting = /^(epoll_p?wait2?|futex|sched_yield|restart_syscall)$/;
const memory = /^(mmap|munmap|mprotect|madvise|brk|getpid)$/;
const waking = /^(read|write)\(\d+<anon_inode:\[eventfd\]>/;
const logging = /^writev?\([12]</;

function isWork(call: string): boolean {
  const name = nameOf(call);
  return !waiting.test(name) && !memory.test(name) && !waking.test(call) && !logging.test(call);
}

async function expectAtMost(
  t: TestContext,
  easyserve: Easyserve,
  pids: Readonly<Record<'front' | 'application', number>>,
  wanted: Wanted,
  bounds: Bounds,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const folder = makeTempDir(t);
  // What only the first requests need is not counted.
  await askOften(easyserve, agent, wanted, 100);
  let application: readonly string[] = [];
  const front = await listCalls(pids.front, folder, async () => {
    application = await listCalls(pids.application, folder, () =>
      askOften(easyserve, agent, wanted, requests),
    );
  });
  const counted = {
    front: front.filter(isWork).length / requests,
    application: application.filter(isWork).length / requests,
    wakeUps: front.filter((call) => call.startsWith('epoll')).length / requests,
  };
  t.diagnostic(`${wanted.path} ${wanted.status}: ${JSON.stringify(counted)}`);
  const said = `front: ${describe(front)}; application: ${describe(application)}`;
  assert.ok(counted.front >= 2, `a read and a write for each request at least; ${said}`);
  for (const name of ['front', 'application', 'wakeUps'] as const) {
    assert.ok(counted[name] <= bounds[name], `${name}: ${counted[name]}, more than ${bounds[name]}; ${said}`);
  }
}

/** Without the number of the thread. */
async function listCalls(pid: number, folder: string, action: () => Promise<void>): Promise<string[]> {
  const calls = await listSystemCalls(pid, folder, 'all', action);
  return calls.map((call) => call.replace(/^\d+ +/, ''));
}

function nameOf(call: string): string {
  return call.slice(0, call.indexOf('('));
}

/** How often each is made for a request, the most frequent first. */
function describe(calls: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const call of calls) {
    const name = isWork(call) ? nameOf(call) : `(${nameOf(call)})`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${(count / requests).toFixed(2)}`)
    .join(', ');
}

async function askOften(
  easyserve: Easyserve,
  agent: Agent,
  { path, headers = {}, status }: Wanted,
  times: number,
): Promise<void> {
  const sockets = new Set<unknown>();
  for (let n = 0; n < times; n++) {
    const outgoing = get(easyserve.at(path), { agent, headers });
    outgoing.once('socket', (socket) => sockets.add(socket));
    const [response] = await once(outgoing, 'response');
    assert.equal(response.statusCode, status);
    await once(response.resume(), 'end');
  }
  assert.equal(sockets.size, 1, 'all on one connection');
}

function addStatic(dir: string): void {
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'assets', 'style.css'), 'p { margin: 0 }\n'.repeat(320));
  appendFileSync(
    join(dir, 'minimal', 'settings.py'),
    "\nINSTALLED_APPS = ['django.contrib.staticfiles']\nSTATIC_URL = '/static/'\n" +
      "STATICFILES_DIRS = [__file__.rsplit('/', 2)[0] + '/assets']\n",
  );
}
