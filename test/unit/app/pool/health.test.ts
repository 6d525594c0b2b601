import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseProbeHost, judgeProbe } from '../../../../src/app/pool/health.js';
import type { Release } from '../../../../src/app/pool/release.js';
import { djangoProject, makeRelease, project } from '../../../support/make-release.js';

function releaseWith(allowedHosts: readonly string[] | undefined, healthHost: string | null = null): Release {
  return makeRelease({
    settings: { healthHost },
    project: allowedHosts === undefined ? project : djangoProject({ allowedHosts }),
  });
}

const hosts: [allowed: string[] | undefined, expected: string][] = [
  [undefined, 'localhost'],
  [[], 'localhost'],
  [['*'], 'localhost'],
  [['shop.example', '*'], 'shop.example'],
  [['.shop.example'], 'shop.example'],
  [['[::1]'], '[::1]'],
];
for (const [allowed, expected] of hosts) {
  test(`the probe's host for ALLOWED_HOSTS ${JSON.stringify(allowed)}`, () => {
    assert.equal(chooseProbeHost(releaseWith(allowed)), expected);
    assert.equal(chooseProbeHost(releaseWith(allowed, 'set.example')), 'set.example');
  });
}

test('below 500 the application works', () => {
  for (const status of [200, 302, 400, 404, 499]) {
    assert.equal(judgeProbe({ status, bodyHead: '' }, '/', ''), undefined);
  }
});

test('500 and above: the last lines and the text of the page', () => {
  const bodyHead = '<html><h1>Server\n Error</h1><p>(500)</p>';
  const error = judgeProbe({ status: 500, bodyHead }, '/up', 'KeyError: 1');
  assert.equal(error?.message, 'The application answers /up with status 500.');
  assert.equal(error?.detail, 'KeyError: 1\nServer Error (500)');
  assert.match(error?.hint ?? '', /healthPath/);
  assert.equal(judgeProbe({ status: 503, bodyHead: '' }, '/', '')?.detail, '');
});
