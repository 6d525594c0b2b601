import assert from 'node:assert/strict';
import { ArrivingText } from '../support/arriving-text.js';
import { forEachServer, serverCases, startServer } from '../support/for-each-server.js';
import { openAnswer } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { killProcess } from '../support/processes.js';
import { rawConnection } from '../support/raw-connection.js';

const cases = serverCases.filter(({ name }) => ['gateway', 'uvicorn', 'express'].includes(name));

// The status goes out before the body: only the access record can tell that the body was not whole.
forEachServer(cases, (serverCase, mode, testIn) => {
  testIn('a process that is killed in the middle of an answer', async (t) => {
    const site = await startServer(t, serverCase, mode);
    const arriving = new ArrivingText(await openAnswer(site.url, '/stream?tag=killed'));
    await arriving.until('line 1\n');
    const [app] = (await site.apps()).filter(({ inFlight }) => inFlight > 0);
    killProcess(app?.pid ?? 0, 'SIGKILL');
    await arriving.toEnd();
    assert.ok(arriving.error, 'the client sees that it is not whole');
    const access = await logged(site, 'access', ({ path }) => path === '/stream?tag=killed');
    assert.deepEqual([access.status, access.cut], [200, 'application']);
    await logged(site, 'request-lost', ({ path }) => path === '/stream');
    assert.equal((await logged(site, 'app-crashed')).isOutOfMemory, false);

    const connection = await rawConnection(t, site.url);
    connection.send('GET /stream?tag=left HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await connection.readUntil('line 1\n');
    connection.reset();
    const left = await logged(site, 'access', ({ path }) => path === '/stream?tag=left');
    assert.deepEqual([left.status, left.cut], [200, 'connection']);
  });

  testIn('a process that dies while it drains is told of like any other', async (t) => {
    const site = await startServer(t, serverCase, mode);
    const arriving = new ArrivingText(await openAnswer(site.url, '/stream?tag=draining'));
    await arriving.until('line 1\n');
    const [app] = (await site.apps()).filter(({ inFlight }) => inFlight > 0);
    const reloaded = site.cli('reload');
    await logged(site, 'reloaded');
    killProcess(app?.pid ?? 0, 'SIGKILL');
    await arriving.toEnd();
    const crash = await logged(site, 'app-crashed');
    assert.equal(crash.app, app?.pid);
    const access = await logged(site, 'access', ({ path }) => path === '/stream?tag=draining');
    assert.equal(access.cut, 'application');
    assert.equal((await reloaded).code, 0);
  });
});
