import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingsError } from '../../../src/contracts/errors.js';
import {
  type CherootReport,
  checkCherootKeywords,
  warnOfTimeout,
} from '../../../src/project/cheroot-keywords.js';

/** As Cheroot 11 reports. */
const report: CherootReport = {
  version: 'Cheroot/11.1.2',
  keywords: {
    bind_addr: 'any',
    wsgi_app: 'any',
    numthreads: 'int',
    server_name: 'any',
    max: 'int',
    request_queue_size: 'int',
    timeout: 'int',
    shutdown_timeout: 'int',
    accepted_queue_size: 'int',
    accepted_queue_timeout: 'int',
    peercreds_enabled: 'bool',
    peercreds_resolve_enabled: 'bool',
    reuse_port: 'bool',
  },
};

for (const given of [
  {},
  { numthreads: 4, max: -1, request_queue_size: 100, accepted_queue_size: -1 },
  { timeout: 10, shutdown_timeout: 2.5, accepted_queue_timeout: 10 },
  { timeout: null, shutdown_timeout: null, server_name: null },
  {
    server_name: 'www.example.org',
    peercreds_enabled: true,
    peercreds_resolve_enabled: false,
    reuse_port: false,
  },
]) {
  test(`taken: ${JSON.stringify(given)}`, () => {
    assert.doesNotThrow(() => checkCherootKeywords(given, report));
  });
}

for (const [given, code, message, hint] of [
  [
    { numthread: 4 },
    'unknown-setting',
    'cheroot: Cheroot/11.1.2 has no keyword "numthread"',
    'did you mean numthreads?',
  ],
  [
    { minthreads: 4 },
    'unknown-setting',
    'cheroot: Cheroot/11.1.2 has no keyword "minthreads"',
    'did you mean numthreads?',
  ],
  [{ toString: 4 }, 'unknown-setting', 'cheroot: Cheroot/11.1.2 has no keyword "toString"', undefined],
  [{ bind_adr: 'x' }, 'unknown-setting', 'cheroot: Cheroot/11.1.2 has no keyword "bind_adr"', undefined],
  [
    { wsgi_app: 'x' },
    'conflicting-settings',
    'cheroot: wsgi_app cannot be set: the application is what app or WSGI_APPLICATION names',
    undefined,
  ],
  [
    { numthreads: 2.5 },
    'malformed-setting',
    'cheroot: numthreads must be a whole number, not 2.5',
    undefined,
  ],
  [
    { numthreads: true },
    'malformed-setting',
    'cheroot: numthreads must be a whole number, not true',
    undefined,
  ],
  [{ timeout: '10' }, 'malformed-setting', 'cheroot: timeout must be a number or None, not "10"', undefined],
  [{ server_name: 5 }, 'malformed-setting', 'cheroot: server_name must be a text or None, not 5', undefined],
  [{ reuse_port: 1 }, 'malformed-setting', 'cheroot: reuse_port must be true or false, not 1', undefined],
] as const) {
  test(`refused: ${JSON.stringify(given)}`, () => {
    assert.throws(
      () => checkCherootKeywords(given, report),
      (error) => {
        assert.ok(error instanceof SettingsError);
        assert.deepEqual([error.code, error.message, error.hint], [code, message, hint]);
        return true;
      },
    );
  });
}

test('all that is wrong is said at once', () => {
  assert.throws(
    () => checkCherootKeywords({ backlog: 5, max: 'many' }, report),
    (error) => error instanceof SettingsError && /max must be a whole number/.test(error.detail ?? ''),
  );
});

test('a keyword that only another release of Cheroot has is judged by the one that is installed', () => {
  const other = { version: 'Cheroot/99', keywords: { ...report.keywords, backoff: 'float' } };
  assert.doesNotThrow(() => checkCherootKeywords({ backoff: 1.5 }, other));
  assert.throws(() => checkCherootKeywords({ backoff: 'x' }, other), /backoff must be a number/);
});

test('a timeout below that of the front is a warning', () => {
  assert.match(warnOfTimeout({ timeout: 4 }).join(), /timeout = 4: make it longer than 4 s/);
  assert.deepEqual(
    [warnOfTimeout({ timeout: 5 }), warnOfTimeout({}), warnOfTimeout({ timeout: null })],
    [[], [], []],
  );
});
