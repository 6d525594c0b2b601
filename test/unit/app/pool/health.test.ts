import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseProbeHost, judgeProbe, probesOf } from '../../../../src/app/pool/health.js';
import type { Release } from '../../../../src/app/pool/release.js';
import type { DjangoFacts } from '../../../../src/contracts/project-facts.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { djangoProject, makeRelease, project } from '../../../support/make-release.js';

function djangoRelease(facts: Partial<DjangoFacts> | undefined, settings: Partial<Settings> = {}): Release {
  return makeRelease({ settings, project: facts === undefined ? project : djangoProject(facts) });
}

const hosts: [allowed: string[] | undefined, expected: string][] = [
  [undefined, 'localhost'],
  [[], 'localhost'],
  [['*'], 'localhost'],
  [['*', 'shop.example'], 'shop.example'],
  [['.shop.example'], 'shop.example'],
  [['.shop.example', 'www.shop.example'], 'www.shop.example'],
  [['[::1]'], '[::1]'],
];
for (const [allowedHosts, expected] of hosts) {
  test(`the probe's host for ALLOWED_HOSTS ${JSON.stringify(allowedHosts)}`, () => {
    const facts = allowedHosts && { allowedHosts };
    assert.equal(chooseProbeHost(djangoRelease(facts)), expected);
    assert.equal(chooseProbeHost(djangoRelease(facts, { healthHost: 'set.example' })), 'set.example');
  });
}

test('the name of the site comes before ALLOWED_HOSTS', () => {
  const facts = { allowedHosts: ['localhost'] };
  const domains = ['shop.example', 'www.shop.example'];
  assert.equal(chooseProbeHost(djangoRelease(facts, { domains })), 'shop.example');
  const settings = { domains, canonicalHost: 'www.shop.example' };
  assert.equal(chooseProbeHost(djangoRelease(facts, settings)), 'www.shop.example');
});

test('by https where the site is https, or Django says that a proxy makes it so', () => {
  const secureProxyHeaders = { 'x-forwarded-protocol': 'ssl' };
  const schemes = [
    djangoRelease(undefined),
    djangoRelease({}),
    djangoRelease(undefined, { https: true }),
    djangoRelease({}, { domains: ['shop.example'] }),
    djangoRelease({ redirectsToHttps: true }),
    djangoRelease({ secureProxyHeaders }),
  ].map((release) => probesOf(release)[0]?.scheme);
  assert.deepEqual(schemes, ['http', 'http', 'https', 'https', 'https', 'https']);
  const [probe] = probesOf(djangoRelease({ secureProxyHeaders }));
  assert.deepEqual(probe?.proxyHeaders, secureProxyHeaders);
});

for (const [healthPath, asked] of [
  ['/', '/shop/'],
  ['/up?x', '/shop/up?x'],
  ['/shop/up', '/shop/up'],
  ['/shop', '/shop'],
  ['/shopping', '/shop/shopping'],
] as const) {
  test(`healthPath ${healthPath} below the prefix /shop is ${asked}`, () => {
    const [probe] = probesOf(djangoRelease(undefined, { healthPath, scriptName: '/shop' }));
    assert.equal(probe?.path, asked);
    assert.equal(probe?.scriptName, '/shop');
  });
}

test('below 500 the application works', () => {
  for (const status of [200, 302, 400, 404, 499]) {
    assert.equal(judgeProbe({ status, bodyHead: '' }, '/', ''), undefined);
  }
});

test('a static file that the manifest lacks is named as what is to be mended', () => {
  const lines = "Traceback\nValueError: Missing staticfiles manifest entry for 'css/gone.css'";
  const error = judgeProbe({ status: 500, bodyHead: '' }, '/', lines);
  assert.match(error?.hint ?? '', /^Add css\/gone\.css to a static folder, or take it out of the page/);
});

test('where the application printed no reason, the hint says where to look for it, and not above', () => {
  for (const lines of ['', '[2026-11-30] Starting up']) {
    const hint = judgeProbe({ status: 500, bodyHead: 'Server Error (500)' }, '/', lines)?.hint ?? '';
    assert.match(hint, /^Look into the log of the application, .* LOGGING, .* set healthPath/);
    assert.doesNotMatch(hint, /lines above/);
  }
  const told = judgeProbe({ status: 500, bodyHead: '' }, '/', 'Traceback (most recent call last):');
  assert.match(told?.hint ?? '', /^Mend what the lines above tell; if that page/);
});

test('500 and above: the last lines and the text of the page', () => {
  const bodyHead = '<html><h1>Server\n Error</h1><p>(500)</p>';
  const error = judgeProbe({ status: 500, bodyHead }, '/up', 'KeyError: 1');
  assert.equal(error?.message, 'The application answers /up with status 500.');
  assert.equal(error?.detail, 'KeyError: 1\nServer Error (500)');
  assert.match(error?.hint ?? '', /healthPath/);
  assert.equal(judgeProbe({ status: 503, bodyHead: '' }, '/', '')?.detail, '');
});
