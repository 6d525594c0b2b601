import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBytes, describeDuration } from '../../../../src/cli/text/describe-quantity.js';
import { describeStatus } from '../../../../src/cli/text/describe-status.js';
import { alignTable } from '../../../../src/cli/text/layout.js';
import type { InstanceStatus } from '../../../../src/contracts/status.js';

const startedAt = '2026-01-01T00:00:00.000Z';
const now = Date.parse('2026-01-01T03:04:05.678Z');

const status: InstanceStatus = {
  state: 'running',
  mode: 'cluster',
  reason: 'processes = 2',
  version: '1.2.3',
  pid: 100,
  urls: ['http://127.0.0.1:8000'],
  certificates: [],
  generation: 3,
  startedAt,
  project: {
    root: '/srv/site',
    kind: 'django',
    server: 'gateway',
    application: 'site.wsgi:application',
    python: '/usr/bin/python3',
  },
  lastReloadError: { code: 'x', message: 'The application exited.', exitCode: 5 },
  sites: [
    {
      pid: 101,
      queued: 0,
      connections: 1,
      apps: [
        {
          pid: 102,
          state: 'ready',
          streams: 0,
          generation: 3,
          threads: 4,
          inFlight: 2,
          requests: 12345,
          restarts: 0,
          rssBytes: 84e6,
          startedAt,
        },
        {
          pid: 1103,
          state: 'draining',
          streams: 0,
          generation: 2,
          threads: 4,
          inFlight: 1,
          requests: 7,
          restarts: 1,
          rssBytes: undefined,
          startedAt,
        },
      ],
      suspects: [],
    },
  ],
};

test('the status is a short, aligned table', () => {
  assert.equal(
    describeStatus(status, { now, isColoured: false }),
    `state    running
mode     cluster (processes = 2)
url      http://127.0.0.1:8000
project  /srv/site
app      site.wsgi:application (Django)
python   /usr/bin/python3
process  100, easyserve 1.2.3
up       3 h 4 min, generation 3
refused  the last reload: The application exited.

front 101: 1 connection, 0 requests waiting
 PID  STATE     GEN  THREADS  IN FLIGHT  REQUESTS  RESTARTS  MEMORY  UP
 102  ready       3        4          2     12345         0   84 MB  3 h 4 min
1103  draining    2        4          1         7         1          3 h 4 min
`,
  );
});

test('without a cluster no front is named, and colours only colour', () => {
  const single = { ...status, mode: 'single', lastReloadError: undefined } as const;
  const plain = describeStatus(single, { now, isColoured: false });
  assert.match(plain, /^mode {5}single process with threads \(/m);
  assert.doesNotMatch(plain, /front|refused/);
  const coloured = describeStatus(single, { now, isColoured: true });
  assert.notEqual(coloured, plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
  assert.equal(coloured.replace(/\x1b\[\d+m/g, ''), plain);
});

test('certificates are told with their next renewal, and what went wrong with its fix', () => {
  const certificates = [
    {
      names: ['example.com'],
      state: 'valid',
      issuer: "Let's Encrypt R11",
      notAfter: '2026-03-02T03:04:05.000Z',
      nextRenewalAt: '2026-01-31T03:04:05.678Z',
      lastError: undefined,
    },
    {
      names: ['www.example.com'],
      state: 'failing',
      issuer: undefined,
      notAfter: undefined,
      nextRenewalAt: '2026-01-01T03:00:00.000Z',
      lastError: {
        code: 'acme-dns',
        sentence: 'The DNS does not know www.example.com.',
        hint: 'dig www.example.com',
        detail: 'NXDOMAIN',
        at: startedAt,
      },
    },
    {
      names: ['old.example.com', '*.example.com'],
      state: 'valid',
      issuer: 'Company CA',
      notAfter: '2025-12-31T03:04:05.678Z',
      nextRenewalAt: undefined,
      lastError: undefined,
    },
  ] as const;
  const text = describeStatus({ ...status, certificates }, { now, isColoured: false });
  assert.ok(
    text.includes(`
CERTIFICATE                     STATE    ISSUER             EXPIRES                       NEXT RENEWAL
example.com                     valid    Let's Encrypt R11  2026-03-02 (in 59 d 23 h)     in 30 d
www.example.com                 failing                                                   now
old.example.com, *.example.com  valid    Company CA         2025-12-31 (expired 1 d ago)
www.example.com: The DNS does not know www.example.com.
  NXDOMAIN
  fix: dig www.example.com

front 101: `),
    text,
  );
});

test('durations are told in their two largest units', () => {
  const told = [0, 999, 8000, 60_000, 65_000, 3_600_000, 3_605_000, 90_061_000, 12 * 86_400_000, -5].map(
    describeDuration,
  );
  assert.deepEqual(told, ['0 s', '0 s', '8 s', '1 min', '1 min 5 s', '1 h', '1 h', '1 d 1 h', '12 d', '0 s']);
});

test('sizes are told in the unit that fits', () => {
  assert.deepEqual([0, 1500, 84_400_000, 1_250_000_000].map(describeBytes), [
    '0 kB',
    '2 kB',
    '84 MB',
    '1.3 GB',
  ]);
});

test('a table without rows is empty', () => {
  assert.equal(alignTable([]), '');
});

test('a folder of files has no table of processes', () => {
  const folder = {
    root: '/srv/site',
    kind: 'folder',
    server: 'none',
    application: '/srv/site/dist',
  } as const;
  const site = { pid: 100, queued: 0, connections: 3, apps: [], suspects: [] };
  const text = describeStatus(
    { ...status, mode: 'single', project: folder, sites: [site] },
    { now, isColoured: false },
  );
  assert.match(text, /^mode +single process \(/m);
  assert.match(text, /^app +\/srv\/site\/dist \(a folder of files\)$/m);
  assert.match(text, /\n3 connections, 0 requests waiting\n$/);
});
