import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DjangoProject } from '../../../src/contracts/project-facts.js';
import { serveStatic } from '../../../src/front/files/serve-static.js';
import { askFiles, hasFileFunctions } from '../../../src/project/ask-files.js';
import { openSiteFiles } from '../../../src/site/site-files.js';
import { FakeClock } from '../../support/fake-clock.js';
import { makeRelease } from '../../support/make-release.js';
import { putFiles } from '../../support/put-files.js';
import { testPython } from '../../support/python-env.js';
import { RecordingLog } from '../../support/recording-log.js';
import { repositoryRoot } from '../../support/repository.js';
import { type Answer, serveHandler } from '../../support/serve-handler.js';
import { detectDjango, djangoFiles, errorOf, makeProject } from '../project/project-files.js';

/** Which headers both have to agree on; the others say how they send a file, in their own words. */
const compared = [
  'content-type',
  'cache-control',
  'access-control-allow-origin',
  'location',
  'link',
  'x-path',
  'content-disposition',
];

const collected = {
  'app.css': 'body {}',
  'app.0123456789ab.css': 'body {}',
  'index-4f2a.js': 'run()',
  'data.webfoo': 'x',
  'notes.txt': 'x',
  'docs/index.html': '<p>',
  'docs/home.htm': '<p>',
  'site-association': '{}',
  'picture.png': 'x',
  'a b/ü.css': 'x',
};
const rootFiles = {
  'robots.txt': 'User-agent: *',
  'index.html': '<p>',
  'guide/index.html': '<p>',
  'guide/home.htm': '<p>',
};
const addresses = [
  ...Object.keys(collected).map((below) => `/static/${below}`),
  ...Object.keys(rootFiles).map((below) => `/${below}`),
  ...['/', '/guide', '/guide/', '/static/docs', '/static/docs/', '/elsewhere', '/static/picture.png/'],
].map(encodeURI);

const functions = `
def is_immutable(path, url):
    assert path.endswith(url.rpartition('/')[2])
    return 'index-' in url or url == '/guide/home.htm'
def add_headers(headers, path, url):
    headers['X-Path'] = url.encode('ascii', 'replace').decode()
    if url.endswith('.png'):
        del headers['Access-Control-Allow-Origin']
        headers['Content-Disposition'] = 'inline'
        headers['Cache-Control'] = 'private'
    if url.endswith('.txt'):
        del headers['Cache-Control']
        headers.add_header('Link', '</two>')
        headers['Content-Type'] = 'text/markdown'
    if url.endswith('.js'):
        headers['Cache-Control'] += ', stale-while-revalidate=60'
`;

/** What is set, in the words of Django's settings. */
const cases: Readonly<Record<string, string>> = {
  'MAX_AGE, ALLOW_ALL_ORIGINS, MIMETYPES, CHARSET, INDEX_FILE and ROOT': `
WHITENOISE_MAX_AGE = 300
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MIMETYPES = {'.webfoo': 'text/x-foo', 'site-association': 'application/pkcs7-mime', '.css': 'text/css'}
WHITENOISE_CHARSET = 'iso-8859-1'
WHITENOISE_INDEX_FILE = True
WHITENOISE_ROOT = BASE_DIR / 'public'
WHITENOISE_AUTOREFRESH = False`,
  'functions, and an INDEX_FILE of another name': `${functions}
WHITENOISE_MAX_AGE = None
WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers
WHITENOISE_INDEX_FILE = 'home.htm'
WHITENOISE_ROOT = str(BASE_DIR / 'public')`.replace(
    "headers['Cache-Control'] += ', stale-while-revalidate=60'",
    "headers['Cache-Control'] = 'max-age=5'",
  ),
  'IMMUTABLE_FILE_TEST as an expression, where the site is below a prefix': `
STATIC_URL = 'static/'
WHITENOISE_MAX_AGE = 0
WHITENOISE_IMMUTABLE_FILE_TEST = r'^/static/.+[.-][0-9a-f]{4,12}\\.'
WHITENOISE_ROOT = BASE_DIR / 'public'`,
};

for (const [name, settings] of Object.entries(cases)) {
  test(`WhiteNoise's settings are answered as by WhiteNoise: ${name}`, async (t) => {
    const scriptName = settings.includes("STATIC_URL = 'static/'") ? '/shop' : '';
    const project = await makeSite(t, settings, scriptName);
    const expected = askWhiteNoise(project.root);
    const ask = await serve(t, project, scriptName);
    for (const address of addresses) {
      const [status, headers] = expected[address] ?? assert.fail(address);
      const answer = await ask(scriptName + address);
      // What WhiteNoise does not have, it leaves to the application; below STATIC_URL we say ourselves that it is not there.
      const isMissing = status === 299 && address.startsWith('/static/');
      assert.equal(answer.status, isMissing ? 404 : status, address);
      if (status !== 299) assert.deepEqual(pick(Object.entries(answer.headers)), pick(headers), address);
    }
  });
}

test('a function that raises refuses the load, with its traceback', async (t) => {
  const settings = 'def raises(path, url): raise KeyError("colour")\nWHITENOISE_IMMUTABLE_FILE_TEST = raises';
  const project = await makeSite(t, settings, '');
  const error = await errorOf(serve(t, project, ''));
  assert.equal(error.code, 'static-functions');
  assert.match(error.message, /KeyError: 'colour'/);
  assert.match(error.detail ?? '', /settings\.py", line \d+, in raises/);
});

test('headers that HTTP cannot carry, or that are ours to say, are left out with a warning', async (t) => {
  const settings = `
def add_headers(headers, path, url):
    headers['ETag'] = '"mine"'
    headers['X-Bad'] = 'a\\nb'
    headers['X-Good'] = 'yes'
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers`;
  const project = await askFiles(await makeSite(t, settings, ''), asking);
  assert.deepEqual(project.django.whitenoise?.answers?.['/static/app.css'], {
    headers: [['X-Good', ['yes']]],
  });
  assert.equal(project.warnings.length, 2, project.warnings.join());
});

// Private

const asking = {
  env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
  settings: makeRelease().settings,
  timeoutMs: 30_000,
};

async function makeSite(t: TestContext, settings: string, scriptName: string): Promise<DjangoProject> {
  const more = [
    settings,
    "STATIC_ROOT = BASE_DIR / 'collected'",
    "MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']",
  ];
  const root = makeProject(t, djangoFiles(more.join('\n')));
  for (const [folder, files] of Object.entries({ collected, public: rootFiles }))
    putFiles(join(root, folder), files);
  return detectDjango(root, { settings: { scriptName } });
}

async function serve(
  t: TestContext,
  found: DjangoProject,
  scriptName: string,
): Promise<(address: string) => Promise<Answer>> {
  const { settings } = makeRelease({ settings: { scriptName } });
  const project = hasFileFunctions(found, settings) ? await askFiles(found, { ...asking, settings }) : found;
  assert.deepEqual(project.warnings, []);
  const log = new RecordingLog();
  const { tables } = await openSiteFiles(
    makeRelease({ project, settings: { scriptName } }),
    new FakeClock(),
    log,
  );
  const handlers = tables.map((table) => serveStatic(table, log));
  const served = await serveHandler(t, (exchange) => handlers.some((handle) => handle(exchange)));
  return (address) => served.ask(address);
}

type Heads = Readonly<Record<string, readonly [status: number, headers: [string, string][]]>>;

function askWhiteNoise(root: string): Heads {
  const program = join(repositoryRoot, 'test/support/whitenoise-heads.py');
  const env = { ...process.env, DJANGO_SETTINGS_MODULE: 'site_.settings', PYTHONDONTWRITEBYTECODE: '1' };
  const heads = execFileSync(testPython(), ['-B', program, ...addresses], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  return JSON.parse(heads) as Heads;
}

/** In the same spelling: they quote the character set, and for ever is ten years for one and one year for the other. */
function pick(headers: readonly (readonly [string, unknown])[]): Record<string, string> {
  const picked = headers
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    .filter(([name]) => compared.includes(name))
    .map(([name, value]) => [
      name,
      value.replaceAll('"', '').replace('max-age=315360000', 'max-age=31536000'),
    ]);
  return Object.fromEntries(picked);
}
