import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ApplicationError } from '../../../src/contracts/errors.js';
import { detectNode, type NodeFinding } from '../../../src/project/detect-node.js';
import { makeFileTree } from '../../support/file-tree.js';

interface Finding extends NodeFinding {
  readonly root: string;
}

const oldNode = { version: 'v20.19.0', stripsTypes: false };
const newNode = { version: 'v24.0.0', stripsTypes: true };

async function detect(
  t: TestContext,
  files: Record<string, string>,
  { file = null, node = oldNode }: { file?: string | null; node?: typeof oldNode } = {},
): Promise<Finding> {
  const root = await makeFileTree(t, files);
  return { root, ...(await detectNode({ root, file, node })) };
}

/** Below the root. */
async function fileOf(
  t: TestContext,
  files: Record<string, string>,
  options = {},
): Promise<string | undefined> {
  const { root, project } = await detect(t, files, options);
  return project?.application.slice(root.length + 1);
}

function packageWith(content: object): string {
  return JSON.stringify({ name: 'site', ...content });
}

async function refusalOf(finding: Promise<unknown>): Promise<ApplicationError> {
  const error = await finding.then(
    () => assert.fail('something was found'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApplicationError, String(error));
  return error;
}

test('the start script comes first, with its flags and variables', async (t) => {
  const start = 'NODE_ENV=staging node --enable-source-maps src/main.js --quiet';
  const { root, project } = await detect(t, {
    'package.json': packageWith({ main: 'lib.js', scripts: { start } }),
    'src/main.js': '',
    'lib.js': '',
    'server.js': '',
  });
  assert.equal(project?.kind, 'node');
  assert.equal(project.server, 'node');
  assert.equal(project.application, join(root, 'src/main.js'));
  assert.deepEqual(project.node, {
    env: { NODE_ENV: 'staging' },
    nodeArgs: ['--enable-source-maps'],
    args: ['--quiet'],
  });
  assert.deepEqual(project.warnings, []);
});

test('any other start script is a command', async (t) => {
  const { project } = await detect(t, {
    'package.json': packageWith({ scripts: { start: 'next start' } }),
    'server.js': '',
  });
  assert.equal(project?.kind, 'command');
  assert.equal(project.server, 'command');
  assert.equal(project.application, 'next start');
});

test('without one: main, then the usual names', async (t) => {
  const main = packageWith({ main: './lib' });
  assert.equal(
    await fileOf(t, { 'package.json': main, 'lib/index.js': '', 'server.js': '' }),
    'lib/index.js',
  );
  assert.equal(await fileOf(t, { 'package.json': main, 'lib.js': '', 'server.js': '' }), 'lib.js');
  // npm init names an index.js that nobody has written yet.
  const stale = packageWith({ main: 'index.js' });
  assert.equal(await fileOf(t, { 'package.json': stale, 'app.mjs': '', 'server.cjs': '' }), 'server.cjs');
  assert.equal(await fileOf(t, { 'package.json': '{}', 'index.js': '', 'app.js': '' }), 'app.js');
});

test('`node .` is the folder of the package', async (t) => {
  const files = {
    'package.json': packageWith({ main: 'web.js', scripts: { start: 'node .' } }),
    'web.js': '',
  };
  assert.equal(await fileOf(t, files), 'web.js');
  const self = packageWith({ main: '.', scripts: { start: 'node .' } });
  assert.equal(await fileOf(t, { 'package.json': self, 'index.js': '' }), 'index.js');
});

test('a file that is named needs no package', async (t) => {
  assert.equal(await fileOf(t, { 'web/main.mjs': '' }, { file: 'web/main.mjs' }), 'web/main.mjs');
  const error = await refusalOf(detect(t, {}, { file: 'gone.js' }));
  assert.equal(error.code, 'application-file-missing');
});

test('a start script whose file has to be built first', async (t) => {
  const scripts = { build: 'tsc', start: 'node dist/server.js' };
  const error = await refusalOf(detect(t, { 'package.json': packageWith({ scripts }) }));
  assert.equal(error.code, 'application-file-missing');
  assert.match(error.message, /dist\/server\.js, which the start script/);
  assert.equal(error.hint, 'npm run build');
  const start = 'tsc -p . && node dist/server.js';
  const both = await refusalOf(detect(t, { 'package.json': packageWith({ scripts: { start } }) }));
  assert.equal(both.hint, 'npx tsc -p .');
});

test('TypeScript where Node runs it', async (t) => {
  const files = { 'package.json': '{}', 'server.ts': '' };
  assert.equal(await fileOf(t, files, { node: newNode }), 'server.ts');
  assert.equal(await fileOf(t, files), undefined);
  const started = { 'package.json': packageWith({ scripts: { start: 'node server.ts' } }), 'server.ts': '' };
  const error = await refusalOf(detect(t, started));
  assert.equal(error.code, 'typescript-unsupported');
  assert.match(error.message, /v20\.19\.0/);
  const compiled = packageWith({ scripts: { start: 'node --import tsx server.ts' } });
  assert.equal(await fileOf(t, { 'package.json': compiled, 'server.ts': '' }), 'server.ts');
});

test('nothing to start, and why', async (t) => {
  const none = await detect(t, { 'server.js': '' });
  assert.equal(none.project, undefined);
  assert.match(
    none.lookedFor.join('\n'),
    /^package\.json \(Node\.js\) in .*server\.js, server\.mjs, server\.cjs$/,
  );
  const frontend = await detect(t, { 'package.json': packageWith({ scripts: { build: 'vite build' } }) });
  assert.match(frontend.lookedFor.join('\n'), /names nothing to start/);
  const development = await detect(t, {
    'package.json': packageWith({ scripts: { start: 'react-scripts start' } }),
  });
  assert.equal(development.project, undefined);
  assert.match(development.lookedFor.join('\n'), /react-scripts start\) is a server for development/);
});

test('packages that are not installed', async (t) => {
  const files = { 'package.json': packageWith({ dependencies: { express: '5' } }), 'server.js': '' };
  const missing = await detect(t, files);
  assert.match(missing.project?.warnings.join('\n') ?? '', /not installed: npm install$/);
  const there = await detect(t, { ...files, 'node_modules/express/index.js': '' });
  assert.deepEqual(there.project?.warnings, []);
});

for (const [what, text] of [
  ['no JSON', '{"name": '],
  ['a list', '[]'],
  ['null', 'null'],
] as const) {
  test(`package.json that is ${what}`, async (t) => {
    const error = await refusalOf(detect(t, { 'package.json': text, 'server.js': '' }));
    assert.equal(error.code, 'package-syntax');
    assert.match(error.message, /package\.json/);
  });
}

test('package.json with values of other types is read as if they were missing', async (t) => {
  const odd = packageWith({ main: 7, scripts: { start: ['node'] }, dependencies: null });
  assert.equal(await fileOf(t, { 'package.json': `\uFEFF${odd}`, 'server.js': '' }), 'server.js');
});
