import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { InstanceStatus } from '../../src/contracts/status.js';
import { type BrokenRelease, breakRelease, replaceFile } from '../support/broken-release.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { testVirtualEnv } from '../support/python-env.js';
import { startEasyserve } from '../support/start-easyserve.js';

interface Fault {
  readonly name: string;
  /** Breaks the copied site; the answer mends it. */
  readonly inject: (easyserve: Easyserve, t: TestContext) => Mend | Promise<Mend>;
  /** Stable name of the error. */
  readonly code: string;
  /** What `easyserve reload` has to say. */
  readonly says: readonly RegExp[];
}

type Mend = () => void | Promise<void>;

const faults: Readonly<Record<string, readonly Fault[]>> = {
  'an application that does not work': [
    {
      name: 'a syntax error',
      inject: breakApplication('syntax-error'),
      code: 'app-exited',
      says: [
        /could not be loaded: SyntaxError/,
        /photojournal\/wsgi\.py", line \d+\s+def half_finished\(request/,
      ],
    },
    {
      name: 'a module that is missing',
      inject: breakApplication('import-error'),
      code: 'app-exited',
      says: [
        /could not be loaded: ModuleNotFoundError: No module named 'a_module_that_nobody_installed'/,
        /Traceback[\s\S]+photojournal\/wsgi\.py", line \d+, in <module>/,
      ],
    },
    {
      name: 'an exit at import',
      inject: breakApplication('exit-at-import'),
      code: 'app-exited',
      says: [
        /could not be loaded: SystemExit: 7/,
        /photojournal\/wsgi\.py", line \d+, in <module>\s+sys\.exit\(7\)/,
      ],
    },
    {
      name: 'an import that hangs',
      inject: breakApplication('hang-at-import'),
      code: 'app-not-ready',
      says: [
        /not ready after 3 s/,
        /photojournal\/wsgi\.py", line \d+, in <module>\s+threading\.Event\(\)\.wait\(\)/,
        /readyTimeoutMs/,
      ],
    },
    {
      name: 'pages that answer 500',
      inject: breakApplication('answers-500'),
      code: 'probe-failed',
      says: [/answers \/ with status 500/, /this release is sick/],
    },
    {
      name: 'views that cannot be imported',
      inject: (easyserve) =>
        prepend(
          easyserve,
          'journal/views.py',
          'def broken():\n    raise LookupError("no such luck")\nbroken()\n',
        ),
      code: 'app-exited',
      says: [/could not be loaded: LookupError: no such luck/, /journal\/views\.py", line 2, in broken/],
    },
  ],
  'wrong settings': [
    {
      name: 'Django settings that raise',
      inject: (easyserve) => append(easyserve, 'photojournal/settings.py', "LIMIT = int('many')\n"),
      code: 'django-settings',
      says: [/ValueError: invalid literal for int\(\)/, /photojournal\/settings\.py", line \d+/],
    },
    {
      name: 'an EASYSERVER that nobody knows',
      inject: (easyserve) => append(easyserve, 'photojournal/settings.py', "EASYSERVER = {'TREADS': 3}\n"),
      code: 'unknown-setting',
      says: [/TREADS/, /THREADS/],
    },
    {
      name: 'an unknown key in the settings file',
      inject: (easyserve) => writeSettings(easyserve, '{"treads": 3}'),
      code: 'unknown-setting',
      says: [/easyserve\.json/, /treads/, /threads/],
    },
    {
      name: 'a malformed value in the settings file',
      inject: (easyserve) => writeSettings(easyserve, '{"threads": "many"}'),
      code: 'malformed-setting',
      says: [/easyserve\.json/, /threads must be/, /many/],
    },
    {
      name: 'a settings file that is no JSON',
      inject: (easyserve) => writeSettings(easyserve, '{"threads": 3'),
      code: 'settings-syntax',
      says: [/easyserve\.json/],
    },
  ],
  'surroundings that have changed': [
    {
      name: 'a collectstatic that fails',
      inject: (easyserve) =>
        append(easyserve, 'journal/static/journal/journal.css', 'i { background: url("gone.png") }\n'),
      code: 'collectstatic-failed',
      says: [/collectstatic/, /journal\/gone\.png/],
    },
    {
      name: 'an interpreter that is gone',
      inject: (easyserve) => {
        rmSync(join(easyserve.dir, 'environment'));
        return () => symlinkSync(testVirtualEnv(), join(easyserve.dir, 'environment'));
      },
      code: 'python-missing',
      says: [/setting python is "environment"/],
    },
    {
      name: 'a new port that somebody else has',
      inject: takePort,
      code: 'port-in-use',
      says: [/Port \d+ is taken by process \d+ /],
    },
  ],
};

// What must not reach the public, under load: nobody notices, and whoever asked for it is told why.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const [group, members] of Object.entries(faults)) {
    testIn(`${group}: the old release serves on, and the next good one comes in`, async (t) => {
      const easyserve = await startEasyserve(t, {
        fixture: 'django-site',
        mode,
        inFile: true,
        settings: { readyTimeoutMs: 3000, watch: false, python: 'environment' },
        prepare: (dir) => symlinkSync(testVirtualEnv(), join(dir, 'environment')),
      });
      for (const [index, fault] of members.entries()) {
        await t.test(fault.name, (t) => expectOldServes(t, easyserve, fault, index + 1));
      }
    });
  }
});

/** `generation` is the one that serves; its version has the same number. */
async function expectOldServes(
  t: TestContext,
  easyserve: Easyserve,
  fault: Fault,
  generation: number,
): Promise<void> {
  const before = await easyserve.appPids();
  const versions = [`v${generation}`, `v${generation + 1}`] as const;
  const tally = await loadDuring(easyserve.url, { connections: 2, minRequests: 100 }, async () => {
    easyserve.writeFile('VERSION', `${versions[1]}\n`);
    const mend = await fault.inject(easyserve, t);
    await expectRefusal(easyserve, fault, generation);
    assert.deepEqual(await easyserve.appPids(), before);
    await expectVersion(easyserve, versions[0]);

    await mend();
    const { code, stderr } = await easyserve.cli('reload');
    assert.equal(code, 0, stderr);
    await expectVersion(easyserve, versions[1]);
  });
  expectNoFailures(tally, { atLeast: 100, versions });
  const after = await easyserve.status();
  assert.equal(after.lastReloadError, undefined);
  assert.equal(after.generation, generation + 1);
}

async function expectRefusal(easyserve: Easyserve, { code, says }: Fault, serving: number): Promise<void> {
  const reload = await easyserve.cli('reload');
  assert.equal(reload.code, 9, reload.stderr);
  assert.match(reload.stderr, /^easyserve: The reload was refused, the old release still serves: /m);
  for (const pattern of says) assert.match(reload.stderr, pattern);
  const shown = await easyserve.cli('status', '--json');
  const { state, generation, lastReloadError } = JSON.parse(shown.stdout) as InstanceStatus;
  assert.equal(state, 'running');
  assert.equal(generation, serving);
  assert.equal(lastReloadError?.code, code);
  assert.ok(reload.stderr.includes(lastReloadError.message), lastReloadError.message);
  const record = await easyserve.waitFor('reload-failed');
  assert.equal(record.code, code);
}

async function expectVersion(easyserve: Easyserve, version: string): Promise<void> {
  const answer = await ask(easyserve.url, '/version');
  assert.equal(answer.headers['x-fixture-version'], version);
}

function breakApplication(release: BrokenRelease): Fault['inject'] {
  return ({ dir }) => breakRelease(dir, release, 'photojournal/wsgi.py');
}

function append({ dir }: Easyserve, relative: string, text: string): Mend {
  const path = join(dir, relative);
  const good = readFileSync(path, 'utf8');
  appendFileSync(path, text);
  return () => replaceFile(path, good);
}

function prepend({ dir }: Easyserve, relative: string, text: string): Mend {
  const path = join(dir, relative);
  const good = readFileSync(path, 'utf8');
  replaceFile(path, text + good);
  return () => replaceFile(path, good);
}

function writeSettings({ dir }: Easyserve, text: string): Mend {
  const path = join(dir, 'easyserve.json');
  const good = readFileSync(path, 'utf8');
  replaceFile(path, text);
  return () => replaceFile(path, good);
}

async function takePort(easyserve: Easyserve, t: TestContext): Promise<Mend> {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  easyserve.writeSettings({ port: (holder.address() as AddressInfo).port });
  return () => easyserve.writeSettings({ port: 0 });
}
