import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks, runQuickChecks } from '../../../src/check/run-checks.js';
import { djangoSubject, makeSubject, namesFound, soundDjango } from '../../support/check-subject.js';
import { djangoProject } from '../../support/make-release.js';

test('a project in order has no finding', async () => {
  assert.deepEqual(await runChecks(djangoSubject()), []);
  assert.deepEqual(await runChecks(makeSubject()), []);
});

test('the worst comes first', async () => {
  const project = { ...djangoProject(soundDjango), warnings: ['venv has no Django.'] };
  const django = { ...project.django, allowedHosts: [], logsErrors: false };
  assert.deepEqual(await namesFound(makeSubject({ project: { ...project, django } })), [
    'allowed-hosts-empty error',
    'errors-not-logged warning',
    'project-warning note',
  ]);
});

test('the start looks at the quick checks, and says no notes', async () => {
  const project = { ...djangoProject({ ...soundDjango, isDebug: true }), warnings: ['venv has no Django.'] };
  const found = await runQuickChecks(makeSubject({ project }));
  assert.deepEqual(
    found.map(({ name }) => name),
    ['debug-on'],
  );
});

test('a finding is silenced by its name, and by the id of Django that says the same', async () => {
  for (const name of ['debug-on', 'django.security.W018']) {
    const subject = djangoSubject({ isDebug: true }, { settings: { silencedFindings: [name] } });
    assert.deepEqual(await namesFound(subject), [], name);
  }
});

test('a name that no finding has is told, with the one that was meant', async () => {
  const [finding, ...more] = await runChecks(makeSubject({ settings: { silencedFindings: ['debugon'] } }));
  assert.deepEqual(more, []);
  assert.deepEqual(finding, {
    name: 'silenced-unknown',
    severity: 'note',
    message: 'silencedFindings names "debugon", and no finding is called so.',
    fix: 'did you mean "debug-on"?',
  });
});

test('DEBUG with ALLOWED_HOSTS empty is one finding, and the fix names both', async () => {
  const [finding, ...more] = await runChecks(djangoSubject({ isDebug: true, allowedHosts: [] }));
  assert.deepEqual(more, []);
  assert.match(
    finding?.fix ?? '',
    /^DEBUG = False and ALLOWED_HOSTS = \["www\.example\.org"\] in site\.settings$/,
  );
});

test('DEBUG beside settings for production: the fix takes those', async () => {
  const [finding, ...more] = await runChecks(
    djangoSubject({ isDebug: true, productionSettings: 'site.settings.production' }),
  );
  assert.deepEqual(more, []);
  assert.equal(finding?.fix, 'easyserve start --set settingsModule=site.settings.production');
});

test('a domain that ALLOWED_HOSTS refuses', async () => {
  const found = async (allowedHosts: readonly string[], domain = 'www.Example.org') =>
    (await runChecks(djangoSubject({ allowedHosts }, { settings: { domains: [domain] } }))).map(
      ({ fix }) => fix,
    );
  assert.deepEqual(await found(['example.org']), ['ALLOWED_HOSTS += ["www.Example.org"] in site.settings']);
  for (const allowed of ['WWW.example.org', '.example.org', '*'])
    assert.deepEqual(await found([allowed]), [], allowed);
  assert.deepEqual(await found(['.example.org'], 'example.org'), []);
  assert.equal((await found(['.example.org'], 'myexample.org')).length, 1);
  const canonical = djangoSubject({}, { settings: { canonicalHost: 'www.example.org' } });
  assert.deepEqual(await namesFound(canonical), ['domain-refused error']);
});

test('a static file that the manifest lacks is named; one that collectstatic will list only where that is not run', async () => {
  const staticMissing = [
    { name: 'css/gone.css', template: 'templates/base.html', isFound: false },
    { name: 'css/new.css', template: 'templates/base.html', isFound: true },
  ];
  const messages = async (collect: 'auto' | 'never') =>
    (await runChecks(djangoSubject({ staticMissing }, { settings: { collect } }))).map(
      ({ message, fix }) => message + fix,
    );
  const [gone, ...more] = await messages('auto');
  assert.match(
    gone ?? '',
    /^templates\/base\.html asks for the static file css\/gone\.css, .*: its pages fail\./,
  );
  assert.deepEqual(more, []);
  assert.match((await messages('never'))[1] ?? '', /css\/new\.css.*python manage\.py collectstatic/);
});

test('a setting of WhiteNoise without effect', async () => {
  const whitenoise = { asksFiles: false, ignored: ['WHITENOISE_AUTOREFRESH'] };
  assert.deepEqual(await namesFound(djangoSubject({ whitenoise })), ['whitenoise-ignored note']);
  const settings = { serveStatic: false };
  assert.deepEqual(await namesFound(djangoSubject({ whitenoise }, { settings })), []);
});
