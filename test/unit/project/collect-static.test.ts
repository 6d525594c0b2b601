import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DjangoProject } from '../../../src/contracts/project-facts.js';
import { collectStatic, wantsCollectStatic } from '../../../src/project/collect-static.js';
import { type CommandRequest, type CommandResult, runCommand } from '../../../src/project/run-command.js';
import { detectDjango, djangoFiles, errorOf, makeProject } from './project-files.js';

const collection = { env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' }, timeoutMs: 60_000 };
const assets = { 'assets/site.css': 'body {}', 'assets/deep/site.js': '' };
const settings = "STATIC_ROOT = BASE_DIR / 'out'\nSTATICFILES_DIRS = [BASE_DIR / 'assets']\n";

async function detectProject(t: TestContext, more = ''): Promise<DjangoProject> {
  return detectDjango(makeProject(t, djangoFiles(settings + more, assets)));
}

test('collects, and answers with the summary', async (t) => {
  const project = await detectProject(t);
  const summary = await collectStatic(project, collection);
  assert.match(summary, /^2 static files copied to '.*\/out'\.$/);
  assert.equal(readFileSync(join(project.root, 'out/site.css'), 'utf8'), 'body {}');
  assert.match(await collectStatic(project, collection), /^0 static files copied .* 2 unmodified\.$/);
});

test('uses the settings that the project was detected with', async (t) => {
  const files = {
    ...djangoFiles(settings, assets),
    'site_/other.py': "from site_.settings import *\nSTATIC_ROOT = BASE_DIR / 'elsewhere'\n",
  };
  const project = await detectDjango(makeProject(t, files), { settings: { settingsModule: 'site_.other' } });
  await collectStatic(project, collection);
  assert.equal(existsSync(join(project.root, 'elsewhere/site.css')), true);
});

test('works without manage.py', async (t) => {
  const { 'manage.py': _, ...files } = djangoFiles(settings, assets);
  const root = makeProject(t, files);
  const project = await detectDjango(root, { settings: { settingsModule: 'site_.settings' } });
  await collectStatic(project, collection);
  assert.equal(existsSync(join(root, 'out/site.css')), true);
});

test('a failure carries what was printed', async (t) => {
  const project = await detectProject(t);
  const error = await errorOf(collectStatic({ ...project, settingsModule: 'site_.nothere' }, collection));
  assert.equal(error.code, 'collectstatic-failed');
  assert.match(error.detail ?? '', /No module named 'site_\.nothere'/);
  assert.match(error.hint ?? '', /collect=never/);
});

test('a hang ends at the deadline', async (t) => {
  const project = await detectProject(t);
  const requests: CommandRequest[] = [];
  const run = async (request: CommandRequest): Promise<CommandResult> => {
    requests.push(request);
    return runCommand({ ...request, command: '/bin/sleep', args: ['1000'] });
  };
  const error = await errorOf(collectStatic(project, { ...collection, timeoutMs: 200, run }));
  assert.equal(error.message, 'collectstatic did not end within 0.2 seconds.');
  assert.deepEqual(requests[0]?.args.slice(-2), ['collectstatic', '--noinput']);
});

test('is wanted where STATIC_ROOT is set and the setting does not forbid it', async (t) => {
  const project = await detectProject(t);
  assert.equal(wantsCollectStatic(project, { collect: 'auto' }), true);
  assert.equal(wantsCollectStatic(project, { collect: 'never' }), false);
  const without = await detectProject(t, 'STATIC_ROOT = None');
  assert.equal(wantsCollectStatic(without, { collect: 'auto' }), false);
  assert.equal(wantsCollectStatic({ ...project, kind: 'wsgi' }, { collect: 'auto' }), false);
});
