import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerChallenge } from '../../../src/front/acme-challenge.js';
import { serveHandler } from '../../support/serve-handler.js';

const place = '/.well-known/acme-challenge/';

test('a challenge is answered to whoever asks for its token, whole', async (t) => {
  const challenges = [
    { token: 'one', keyAuthorization: 'one.thumbprint' },
    { token: 'two', keyAuthorization: 'two.thumbprint' },
  ];
  const served = await serveHandler(t, answerChallenge(challenges));
  const answer = await served.ask(`${place}two?a=b`, { headers: { Host: 'example.com' } });
  assert.equal(answer.status, 200);
  assert.equal(String(answer.body), 'two.thumbprint');
  assert.equal(answer.headers['content-type'], 'application/octet-stream');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const head = await served.ask(`${place}one`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '14', 0]);
});

test('anything else is left to those behind', async (t) => {
  const served = await serveHandler(t, answerChallenge([{ token: 'one', keyAuthorization: 'x' }]));
  for (const path of [place, `${place}three`, `${place}one/`, `${place}ONE`, `${place}../one`, '/one', '/']) {
    assert.equal((await served.ask(path)).status, 299, path);
  }
  const none = await serveHandler(t, answerChallenge([]));
  assert.equal((await none.ask(`${place}one`)).status, 299);
});
