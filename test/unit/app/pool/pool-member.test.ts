import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainCrash } from '../../../../src/app/pool/pool-member.js';

const lastLines = '';

test('how an application died, in one sentence', () => {
  assert.match(
    explainCrash(7, { code: null, signal: 'SIGKILL', lastLines }, true),
    /^application 7 .*out of memory$/,
  );
  assert.match(explainCrash(7, { code: null, signal: 'SIGKILL', lastLines }, false), /killed \(SIGKILL\)/);
  assert.equal(
    explainCrash(7, { code: null, signal: 'SIGSEGV', lastLines }, false),
    'application 7 died of SIGSEGV',
  );
  assert.equal(
    explainCrash(7, { code: 2, signal: null, lastLines }, false),
    'application 7 exited by itself with code 2',
  );
});
