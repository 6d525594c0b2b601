import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Machine, thisMachine } from '../../../src/check/machine.js';
import { runChecks } from '../../../src/check/run-checks.js';
import { makeSubject, namesFound, soundDjango, soundMachine } from '../../support/check-subject.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { djangoProject, project } from '../../support/make-release.js';

const python = (version: string, path = '/srv/site/.venv/bin/python') => ({
  ...project,
  python: { ...project.python, version, path },
});
const onDay = (day: string): Partial<Machine> => ({ nowMs: Date.parse(`${day}T12:00:00Z`) });
const disk = (freeBytes: number, freeFiles?: number): Partial<Machine> => ({
  readDisk: async () => ({ freeBytes, totalBytes: 100e9, freeFiles }),
});

const rows: readonly (readonly [string, Parameters<typeof makeSubject>[0], readonly string[]])[] = [
  ['a Python on its last day', { project: python('3.10.2'), machine: onDay('2026-10-31') }, []],
  [
    'a Python a day later',
    { project: python('3.10.2'), machine: onDay('2026-11-01') },
    ['python-unsupported warning'],
  ],
  ['a Python of the system', { project: python('3.9.2', '/usr/bin/python3') }, ['python-unsupported note']],
  ['a Python older than the table', { project: python('3.6.9') }, ['python-unsupported warning']],
  ['a Python younger than the table', { project: python('3.99.0') }, []],
  [
    'Django 4.2',
    { project: djangoProject({ ...soundDjango, version: '4.2.20' }) },
    ['django-unsupported warning'],
  ],
  [
    'Django 1.11',
    { project: djangoProject({ ...soundDjango, version: '1.11' }) },
    ['django-unsupported warning'],
  ],
  ['Django of tomorrow', { project: djangoProject({ ...soundDjango, version: '9.0a1' }) }, []],
  ['Node.js 20', { machine: { nodeVersion: 'v20.19.0' } }, ['node-unsupported warning']],
  ['Node.js of tomorrow', { machine: { nodeVersion: 'v99.0.0' } }, []],
  ['a disk with little left', { machine: disk(200 * 1024 * 1024) }, ['disk-nearly-full warning']],
  ['a disk below spoolMinFreePercent', { machine: disk(4e9) }, ['disk-nearly-full warning']],
  ['a disk with no inodes left', { machine: disk(50e9, 12) }, ['disk-nearly-full warning']],
  ['a disk that cannot be asked', { machine: { readDisk: async () => undefined } }, []],
  ['a clock of years ago', { machine: onDay('2019-03-01') }, ['clock-wrong error']],
  [
    'a clock of before the project',
    { machine: { readFile: async () => ({ mode: 0o600, uid: 1000, mtimeMs: soundMachine.nowMs + 3e8 }) } },
    ['clock-wrong warning'],
  ],
  ['a clock that nobody keeps right', { machine: { isClockKept: async () => false } }, ['clock-adrift note']],
  ['a clock of which nobody knows', { machine: { isClockKept: async () => undefined } }, []],
];

for (const [name, shape, found] of rows) {
  test(`${name}: ${found.join() || 'nothing'}`, async () => {
    assert.deepEqual(await namesFound(makeSubject(shape)), found);
  });
}

test('the fix names the version that is mended longest', async () => {
  const findings = await runChecks(
    makeSubject({ project: python('3.8.1'), machine: { nodeVersion: 'v18.0.0' } }),
  );
  assert.deepEqual(
    findings.map(({ message, fix }) => [message, fix]),
    [
      [
        'Python 3.8.1 has had no security fixes since 2024-10-07.',
        'make the virtual environment anew with a later Python: python3.14 -m venv .venv',
      ],
      [
        'Node.js 18.0.0 has had no security fixes for years.',
        'install Node.js 24: https://nodejs.org/en/download',
      ],
    ],
  );
});

test('secrets that others can read are named where others can reach them', async (t) => {
  const open = makeTempDir(t);
  chmodSync(open, 0o755);
  const root = join(open, 'site');
  mkdirSync(root, { mode: 0o755 });
  const write = (name: string, mode: number): string => {
    const path = join(root, name);
    writeFileSync(path, '', { mode });
    chmodSync(path, mode);
    return path;
  };
  const settings = write('settings.py', 0o644);
  const database = write('db.sqlite3', 0o644);
  write('.env', 0o600);
  write('.env.example', 0o644);
  const production = write('.env.production', 0o646);
  const key = write('site.key', 0o640);
  const above = join(open, '.env');
  writeFileSync(above, '', { mode: 0o644 });
  chmodSync(above, 0o644);
  const django = { ...soundDjango, databaseFiles: [database], deployment: { secretFiles: [settings] } };
  const machine = { ...thisMachine(), nowMs: soundMachine.nowMs, nodeVersion: soundMachine.nodeVersion };
  const subject = makeSubject({
    project: { ...djangoProject(django), root, environment: { reads: [], files: [above] } },
    settings: { tlsCert: join(root, 'site.pem'), tlsKey: key, https: false },
    machine: { ...machine, readDisk: soundMachine.readDisk, isClockKept: soundMachine.isClockKept },
  });
  const seen = async () =>
    (await runChecks(subject))
      .filter(({ name }) => name === 'secrets-readable')
      .map(({ severity, fix }) => `${severity} ${fix}`);
  assert.deepEqual(await seen(), [
    `error chmod o= ${production}`,
    `warning chmod o= ${above}`,
    `warning chmod o= ${settings}`,
    `warning chmod o= ${database}`,
  ]);
  chmodSync(open, 0o700);
  assert.deepEqual(await seen(), []);
});

test("a secret that is somebody else's is given to the group of the site", async () => {
  const project = djangoProject({ ...soundDjango, databaseFiles: ['/srv/db'] });
  const readFile: Machine['readFile'] = async (path) => ({
    mode: path === '/srv/db' ? 0o100644 : 0o40755,
    uid: 0,
    mtimeMs: 0,
  });
  const [finding] = await runChecks(makeSubject({ project, machine: { readFile } }));
  assert.equal(finding?.fix, 'sudo chgrp $(id -gn shop) /srv/db && sudo chmod g+r,o= /srv/db');
});
