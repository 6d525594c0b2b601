import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identifyProcess } from '../../src/control/process-identity.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

// What an instance leaves that could not clear up: the power went, or somebody killed it. With a real one that is
// killed: test/faults/primary-killed.
const records: Readonly<Record<string, () => Promise<string>>> = {
  // With its start: a machine that runs long enough gives any number to somebody else.
  'of a process that has ended': async () =>
    JSON.stringify({ pid: 4_194_303, startTicks: '1', nonce: 'stale' }),
  'whose number was given to another process': async () => {
    const identity = await identifyProcess(process.pid);
    return JSON.stringify({ ...identity, startTicks: '1', nonce: 'stale' });
  },
  'that was cut short by a power failure': async () => '',
};
for (const [what, makeRecord] of Object.entries(records)) {
  test(`a pid file ${what} is recovered from`, { timeout: integrationTimeoutMs }, async (t) => {
    const record = await makeRecord();
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode: 'single',
      prepare: (dir) => {
        const state = join(dir, '.easyserve');
        mkdirSync(join(state, 'spool'), { recursive: true });
        mkdirSync(join(state, 'run'));
        writeFileSync(join(state, 'easyserve.pid'), record);
        writeFileSync(join(state, 'control.sock'), '');
        writeFileSync(join(state, 'spool', '4711-1'), 'half an upload');
      },
    });
    assert.ok(easyserve.records.some(({ event }) => event === 'recovered'));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
    assert.equal((await easyserve.status()).pid, easyserve.pid);
  });
}
