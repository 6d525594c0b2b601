import assert from 'node:assert/strict';
import { test } from 'node:test';
import { respondToFileError } from '../../../../src/front/files/file-refusals.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { serveHandler } from '../../../support/serve-handler.js';

const cases: [code: string | undefined, status: number, isLogged: boolean][] = [
  ['ENOENT', 404, false],
  ['ENOTDIR', 404, false],
  ['ENAMETOOLONG', 404, false],
  ['ELOOP', 404, false],
  ['EACCES', 404, true],
  ['EPERM', 404, true],
  ['EMFILE', 503, true],
  ['EIO', 500, true],
  [undefined, 500, true],
];

for (const [code, status, isLogged] of cases) {
  test(`${code ?? 'an error without code'} is ${status}${isLogged ? ', and logged' : ''}`, async (t) => {
    const log = new RecordingLog();
    const error = Object.assign(new Error('/srv/secret/path'), { code });
    const served = await serveHandler(t, (exchange) => {
      respondToFileError(exchange, error, log);
      return true;
    });
    const answer = await served.ask('/static/a.css');
    assert.equal(answer.status, status);
    assert.ok(!answer.body.includes('secret'));
    assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined);
    assert.equal(log.records.length, isLogged ? 1 : 0);
    if (isLogged) assert.equal(log.records[0]?.fields.path, '/static/a.css');
  });
}

test('an error in the middle of a body cuts the connection', async (t) => {
  const served = await serveHandler(t, (exchange) => {
    exchange.response.writeHead(200, ['Content-Length', '100']);
    exchange.response.write('half');
    respondToFileError(
      exchange,
      Object.assign(new Error('read failed'), { code: 'EIO' }),
      new RecordingLog(),
    );
    return true;
  });
  await assert.rejects(served.ask('/'), { code: 'ECONNRESET' });
});
