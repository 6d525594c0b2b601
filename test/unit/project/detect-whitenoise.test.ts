import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { DjangoFacts } from '../../../src/contracts/project-facts.js';
import { detectDjango, djangoFiles, makeProject } from './project-files.js';

async function factsOf(
  t: TestContext,
  settings: string,
  { files = {} }: { files?: Readonly<Record<string, string>> } = {},
): Promise<{ root: string; facts: DjangoFacts; warnings: readonly string[] }> {
  const root = makeProject(t, djangoFiles(settings, files));
  const { django, warnings } = await detectDjango(root);
  return { root, facts: django, warnings };
}

test('settings of WhiteNoise without effect are named, and none where there are none', async (t) => {
  const more = [
    "STATIC_ROOT = BASE_DIR / 'collected'",
    'WHITENOISE_USE_FINDERS = True',
    "WHITENOISE_STATIC_PREFIX = '/s/'",
    'WHITENOISE_AUTOREFRESH = True',
    'WHITENOISE_MANIFEST_STRICT = False',
    'WHITENOISE_MAX_AGE = 1',
  ];
  const { facts } = await factsOf(t, more.join('\n'));
  assert.deepEqual(facts.whitenoise?.ignored, [
    'WHITENOISE_AUTOREFRESH',
    'WHITENOISE_STATIC_PREFIX',
    'WHITENOISE_USE_FINDERS',
  ]);
  assert.equal((await factsOf(t, '')).facts.whitenoise, undefined);
});

test('files of WHITENOISE_ROOT that only some may see are left to the application', async (t) => {
  const own =
    'def whitenoise(get_response): return get_response\ndef login_required(get_response): return get_response';
  const rootWith = async (middleware: string) => {
    const settings = [own, "WHITENOISE_ROOT = BASE_DIR / 'public'", `MIDDLEWARE = ${middleware}`].join('\n');
    const { root, facts } = await factsOf(t, settings, { files: { 'public/robots.txt': '' } });
    return facts.whitenoise?.root?.slice(root.length);
  };
  assert.equal(await rootWith("['site_.settings.whitenoise']"), '/public');
  assert.equal(await rootWith('[]'), undefined);
  assert.equal(await rootWith("['site_.settings.login_required', 'site_.settings.whitenoise']"), undefined);
});

test('settings of WhiteNoise of another kind are left out, with a warning', async (t) => {
  const { facts, warnings } = await factsOf(t, "WHITENOISE_MAX_AGE = 'an hour'");
  assert.equal(facts.whitenoise, undefined);
  assert.match(warnings.join(), /^The settings of WhiteNoise are left out: ValueError: .*'an hour'/);
});

test('files of WHITENOISE_ROOT that easyserve hides are reported', async (t) => {
  const settings = [
    "WHITENOISE_ROOT = BASE_DIR / 'public'",
    'def whitenoise(get_response): return get_response',
    "MIDDLEWARE = ['site_.settings.whitenoise']",
  ].join('\n');
  const { warnings } = await factsOf(t, settings, { files: { 'public/static/a.css': '' } });
  assert.match(warnings.join(), /WHITENOISE_ROOT has a folder for \/static\//);
});
