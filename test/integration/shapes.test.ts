import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { ask, type HttpAnswer } from '../support/http-client.js';
import { putFiles } from '../support/put-files.js';
import { layouts } from '../support/shapes/layouts.js';
import { packages } from '../support/shapes/packages.js';
import type { Shape } from '../support/shapes/shape.js';
import { visitors } from '../support/shapes/visitors.js';
import { startEasyserve } from '../support/start-easyserve.js';

const oneYear = 'max-age=31536000, public, immutable';

// Real projects as they are, each small: checked, started, visited, written to, deployed anew and stopped.
describe('shapes of projects', { concurrency: 2 }, () => {
  for (const shape of [...layouts, ...packages, ...visitors]) {
    const modes: readonly Mode[] = shape.isClustered ? ['single', 'cluster'] : ['single'];
    for (const mode of modes) {
      test(`${mode}: ${shape.name}`, { timeout: integrationTimeoutMs }, (t) => drive(t, shape, mode));
    }
  }
});

async function drive(t: TestContext, shape: Shape, mode: Mode): Promise<void> {
  const top = makeTempDir(t);
  putFiles(top, shape.files);
  for (const [link, target] of Object.entries(shape.links ?? {})) symlinkSync(target, join(top, link));
  const dir = join(top, shape.start ?? '');
  const { env = {}, args = [] } = shape;
  const site = await startEasyserve(t, { dir, mode, env, args });
  const check = await site.cli('check', ...args, '--json');
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const said = site.records.filter(({ event }) => event === 'project-warning').map(({ msg }) => String(msg));
  const { says = [] } = shape;
  assert.equal(said.length, says.length, said.join('\n'));
  for (const [at, sentence] of says.entries()) assert.match(said[at] ?? '', sentence);

  const page = await visit(site, shape, 'one');
  await expectStyle(site, shape, page);
  await shape.also?.(site);
  await expectLateFile(site, shape);
  await expectUpload(site, shape);

  const deploy = shape.deploy ?? (() => writeFileSync(join(dir, shape.project ?? '', 'VERSION'), 'two'));
  deploy(top);
  const reload = await site.cli('reload');
  assert.equal(reload.code, 0, reload.stderr);
  await expectStyle(site, shape, await visit(site, shape, 'two'));
  assert.deepEqual(await site.stop(), { code: 0, signal: null });
}

async function visit(
  site: Easyserve,
  { page = '/', headers = {}, settings }: Shape,
  version: string,
): Promise<HttpAnswer> {
  const answer = await ask(site.url, page, { headers });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, new RegExp(`settings=${settings} version=${version}$`));
  return answer;
}

/** The page's own, as a browser asks for it. */
async function expectStyle(
  site: Easyserve,
  { headers = {}, caches = oneYear }: Shape,
  page: HttpAnswer,
): Promise<void> {
  const [, href = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec(page.text) ?? [];
  const style = await ask(site.url, href, { headers: { ...headers, 'Accept-Encoding': 'gzip' } });
  assert.equal(style.status, 200, href);
  assert.equal(style.headers['content-type'], 'text/css; charset=utf-8');
  assert.equal(style.headers['content-encoding'], 'gzip');
  assert.equal(style.headers['cache-control'], caches, href);
  const known = { ...headers, 'Accept-Encoding': 'gzip', 'If-None-Match': style.headers.etag };
  assert.equal((await ask(site.url, href, { headers: known })).status, 304);
}

/** One that the application writes while it runs. */
async function expectLateFile(site: Easyserve, shape: Shape): Promise<void> {
  if (shape.caches === 'no-cache') return; // there is no STATIC_ROOT
  const path = join(site.dir, shape.project ?? '', 'staticfiles', 'CACHE', 'late.txt');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'late');
  assert.equal(
    (await ask(site.url, '/static/CACHE/late.txt', { headers: shape.headers ?? {} })).text,
    'late',
  );
}

async function expectUpload(site: Easyserve, { headers = {}, uploadStatus = 200 }: Shape): Promise<void> {
  const form = [
    '--limit',
    'Content-Disposition: form-data; name="file"; filename="note.txt"',
    'Content-Type: text/plain',
    '',
    'uploaded',
    '--limit--',
    '',
  ].join('\r\n');
  const sent = { ...headers, 'Content-Type': 'multipart/form-data; boundary=limit' };
  const { status, text: url } = await ask(site.url, '/upload', { method: 'POST', headers: sent, body: form });
  assert.equal(status, 200, url);
  assert.match(url, /^\/media\/note.*\.txt$/);
  const file = await ask(site.url, url, { headers });
  assert.equal(file.status, uploadStatus, file.text);
  if (uploadStatus === 200) assert.equal(file.text, 'uploaded');
}
