import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadFolderSettings } from '../../../../src/cli/folder-settings.js';
import { runCommandLine } from '../../../../src/cli/run-command.js';
import { ExitCode } from '../../../../src/contracts/errors.js';
import type { DjangoFacts, DjangoProject, Project } from '../../../../src/contracts/project-facts.js';
import { ownReader } from '../../../../src/privileges/project-reader.js';
import type { Detection } from '../../../../src/project/detect-project.js';
import { copyFixture, makeTempDir } from '../../../support/copy-fixture.js';
import { keepUser } from '../../../support/keep-user.js';
import { makeContext } from '../recording-context.js';

const django: DjangoFacts = {
  version: '5.2',
  isDebug: false,
  allowedHosts: ['example.org'],
  logsErrors: true,
  addresses: undefined,
  urlsFailure: undefined,
  redirectsToHttps: false,
  decidesFraming: false,
  secureProxyHeaders: {},
  staticPrefix: '/static/',
  staticRoot: undefined,
  staticFound: undefined,
  staticManifest: undefined,
  mediaPrefix: undefined,
  mediaRoot: undefined,
  easyserver: { PORT: 8001 },
  cheroot: undefined,
};

const project: DjangoProject = {
  kind: 'django',
  server: 'gateway',
  root: '/srv/site',
  python: { path: '/srv/site/.venv/bin/python', source: '.venv', version: '3.12.1', isGilEnabled: true },
  application: 'site.wsgi:application',
  settingsModule: 'site.settings',
  django,
  applicationRssBytes: 40e6,
  warnings: [],
};

test('a project that can be served passes, and nothing is left running or lying about', async (t) => {
  const folder = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const context = makeContext(folder);
  assert.equal(await runCommandLine(['check', '--port', '0'], context), ExitCode.ok, context.stdout.text);
  const lines = context.stdout.text.trimEnd().split('\n');
  assert.ok(
    lines.every((line) => /^(ok|note|warning| {8}) /.test(line)),
    context.stdout.text,
  );
  assert.match(context.stdout.text, /^ok {7}application: app:application, imported, \d+ MB in memory$/m);
  assert.match(context.stdout.text, /^ok {7}address: every address \(IPv4 and IPv6\), any free port$/m);
});

test('the port of HTTPS is tried too, where it is wanted', async (t) => {
  const folder = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const check = async (httpsPort: number) => {
    const context = makeContext(folder);
    const flags = ['--port', '0', '--https', '--set', `httpsPort=${httpsPort}`];
    return { code: await runCommandLine(['check', ...flags], context), said: context.stdout.text };
  };
  const free = await check(0);
  assert.equal(free.code, ExitCode.ok, free.said);
  assert.match(free.said, /^ok {7}address of HTTPS: every address \(IPv4 and IPv6\), any free port$/m);
  const server = createServer().listen(0, '0.0.0.0');
  t.after(() => server.close());
  await once(server, 'listening');
  const taken = await check((server.address() as AddressInfo).port);
  assert.equal(taken.code, ExitCode.address, taken.said);
  assert.match(taken.said, /^error {4}Port \d+ is taken/m);
});

test('a setting that is wrong is named', async (t) => {
  const context = makeContext(makeTempDir(t));
  assert.equal(await runCommandLine(['check', '--set', 'prot=80'], context), ExitCode.settings);
  assert.match(
    context.stdout.text,
    /^error {4}.*unknown setting "prot" \[unknown-setting\]\n {9}fix: did you mean "port"\?\n$/,
  );
});

test('a folder without an application is told what was looked for', async (t) => {
  const context = makeContext(makeTempDir(t));
  assert.equal(await runCommandLine(['check'], context), ExitCode.application);
  assert.match(
    context.stdout.text,
    /^error {4}No application was found.*\n {9}Looked for:\n {11}manage\.py/m,
  );
});

test('an application that cannot be imported shows its traceback', async (t) => {
  const folder = makeTempDir(t);
  writeFileSync(join(folder, 'wsgi.py'), 'import nowhere_to_be_found\n');
  const context = makeContext(folder);
  assert.notEqual(await runCommandLine(['check'], context), ExitCode.ok);
  assert.match(context.stdout.text, /^error [\s\S]*No module named 'nowhere_to_be_found'/m);
});

test('a port that is taken is named with who has it', async (t) => {
  const folder = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const context = makeContext(folder);
  const exitCode = await runCommandLine(['check', '--host', '127.0.0.1', '--port', String(port)], context);
  assert.equal(exitCode, ExitCode.address);
  assert.match(
    context.stdout.text,
    new RegExp(`^error {4}Port ${port} is taken by process ${process.pid} `, 'm'),
  );
});

test('the settings of a folder hold what Django says, and an origin for it', async (t) => {
  const sources = { projectDir: makeTempDir(t), configFile: undefined, env: keepUser, flags: [] };
  const detect = async (detection: Detection): Promise<Project> => {
    assert.equal(detection.root, sources.projectDir);
    assert.equal(detection.measure, false);
    return project;
  };
  const options = { measure: false, reader: { ...ownReader, detect } };
  const { loaded, failure } = await loadFolderSettings(sources, options);
  assert.equal(failure, undefined);
  assert.equal(loaded.settings.port, 8001);
  assert.equal(loaded.origins.port, 'Django EASYSERVER');
});

test('easyserve config without an application shows the settings all the same', async (t) => {
  const context = makeContext(makeTempDir(t));
  assert.equal(await runCommandLine(['config', '--port', '8123'], context), ExitCode.ok);
  assert.match(context.stdout.text, /^Settings as `easyserve start` would use them:\n/);
  assert.match(context.stdout.text, /^port +8123 +--port$/m);
  assert.match(context.stderr.text, /No application was found[\s\S]*without what Django would add/);
});
