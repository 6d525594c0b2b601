import assert from 'node:assert/strict';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { type Asking, ask, type HttpAnswer } from '../support/http-client.js';
import { journalAdmin } from '../support/journal-database.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { Visitor } from '../support/visitor.js';

interface EnvironReport {
  readonly environ: Readonly<Record<string, string>>;
  readonly host: string;
  readonly secure: boolean;
  readonly path: string;
  readonly below: string;
}

async function askEnviron(site: Easyserve, path: string, asking?: Asking): Promise<EnvironReport> {
  const answer = await ask(site.url, path, asking);
  assert.equal(answer.status, 200, answer.text.slice(0, 500));
  return JSON.parse(answer.text) as EnvironReport;
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('the pages of a Django site', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings: { trustedProxies: [] } });

    await t.test('a page, made from a template and the database', async () => {
      const { status, headers, text } = await ask(site.url, '/');
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/html; charset=utf-8');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.match(text, /Above the tree line/);
      assert.match(text, /Release v1/);
      assert.match(text, /href="\/static\/journal\/journal\.[0-9a-f]{12}\.css"/);
    });

    await t.test(
      'a page that may be framed, as its view says, and a static file, which may not',
      async () => {
        assert.equal((await ask(site.url, '/pid')).headers['x-frame-options'], undefined);
        const file = await ask(site.url, '/static/journal/journal.css');
        assert.deepEqual([file.status, file.headers['x-frame-options']], [200, 'SAMEORIGIN']);
      },
    );

    await t.test('a page that is not there', async () => {
      const { status, text } = await ask(site.url, '/nowhere/');
      assert.equal(status, 404);
      assert.match(text, /There is no such page. <a href="\/">Back to the photos/);
    });

    await t.test('a view that fails: its traceback in the log, none in the page', async () => {
      const { status, text, headers } = await ask(site.url, '/error');
      assert.equal(status, 500);
      assert.match(text, /The error is in the log/);
      assert.doesNotMatch(text, /Traceback|RuntimeError|on purpose/);
      assert.ok(headers['x-request-id']);
      const line = await site.waitFor(
        'application',
        ({ msg }) => msg === 'RuntimeError: this view fails on purpose',
      );
      assert.equal(line.stream, 'stderr');
      assert.ok((await site.appPids()).includes(Number(line.app)));
    });

    await t.test('HEAD: the headers of GET, and no body', async () => {
      for (const path of ['/', '/nowhere/', '/version', '/captions/?delay_ms=0']) {
        for (const headers of [{}, { 'Accept-Encoding': 'gzip' }]) {
          const get = await ask(site.url, path, { headers });
          const head = await ask(site.url, path, { method: 'HEAD', headers });
          assert.equal(head.status, get.status, path);
          assert.equal(head.body.length, 0, path);
          assert.deepEqual(lasting(head), lasting(get), path);
          // It may be left out, but not be wrong.
          const length = head.headers['content-length'] ?? get.headers['content-length'];
          assert.equal(length, get.headers['content-length'], path);
        }
      }
    });

    await t.test('redirects reach the browser as they are', async () => {
      const slash = await ask(site.url, '/photos/1?a=b');
      assert.equal(slash.status, 301);
      assert.equal(slash.headers.location, '/photos/1/?a=b');
      const login = await ask(site.url, '/photos/new/');
      assert.equal(login.status, 302);
      assert.equal(login.headers.location, '/admin/login/?next=/photos/new/');
    });

    await t.test('a session, kept in a cookie, whichever process answers', async () => {
      const visitor = new Visitor(site.url);
      for (let visit = 1; visit <= 6; visit += 1) {
        const { text } = await visitor.get('/session');
        assert.equal(JSON.parse(text).visits, visit);
      }
      assert.equal(JSON.parse((await new Visitor(site.url).get('/session')).text).visits, 1);
    });

    await t.test('several Set-Cookie headers stay apart, in their order', async () => {
      const answer = await ask(site.url, '/respond?cookie=a:1&cookie=b:2&cookie=c:3');
      assert.deepEqual(
        answer.valuesOf('set-cookie').map((line) => line.split(';')[0]),
        ['a=1', 'b=2', 'c=3'],
      );
    });

    await t.test(
      'several Cookie headers become one (RFC 6265 section 5.4, HTTP/2 proxies split them)',
      async () => {
        const connection = await rawConnection(t, site.url);
        connection.send(
          'GET /environ HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n\r\n',
        );
        const answer = await connection.readToEnd();
        assert.match(answer, /"HTTP_COOKIE": "a=1; b=2"/);
      },
    );

    await t.test('a path that is not ASCII', async () => {
      const encoded = await askEnviron(site, '/environ/f%C3%BCr/%E5%86%99%E7%9C%9F/a%20b%2Bc');
      assert.equal(encoded.path, '/environ/für/写真/a b+c');
    });

    await t.test('a path that is no UTF-8 is no error of the server', async () => {
      const { path } = await askEnviron(site, '/environ/%ff%fe');
      assert.equal(path, '/environ/%FF%FE');
    });

    await t.test('slashes and dots in a path reach the application as they were sent', async () => {
      assert.equal((await askEnviron(site, '/environ//a/../b/./c')).path, '/environ//a/../b/./c');
      assert.equal((await askEnviron(site, '/environ/a%2Fb')).path, '/environ/a/b');
    });

    await t.test('a path with NUL, which no environ can carry', async () => {
      assert.equal((await ask(site.url, '/environ/a%00b')).status, 400);
    });

    await t.test('the query string, untouched', async () => {
      for (const query of ['a=1&a=2', 'q=%C3%BC+%20&&x', '?', 'a=b?c=/d', '']) {
        const { environ } = await askEnviron(site, `/environ?${query}`);
        assert.equal(environ.QUERY_STRING, query);
        assert.equal(environ.REQUEST_URI, `/environ?${query}`);
      }
    });

    await t.test('the rest of the environ', async () => {
      const { environ, host, secure } = await askEnviron(site, '/environ', {
        method: 'POST',
        headers: {
          Host: 'localhost:8080',
          'Content-Type': 'text/x',
          'X-Thing': 'ü',
          'X-Hop': 'a',
          Connection: 'close, X-Hop',
        },
        body: 'abc',
      });
      const { port } = new URL(site.url);
      assert.ok(port);
      assert.equal(host, 'localhost:8080');
      assert.equal(secure, false);
      const expected = {
        REQUEST_METHOD: 'POST',
        SCRIPT_NAME: '',
        PATH_INFO: '/environ',
        CONTENT_TYPE: 'text/x',
        CONTENT_LENGTH: '3',
        SERVER_PROTOCOL: 'HTTP/1.1',
        SERVER_NAME: 'localhost',
        SERVER_PORT: '8080',
        REMOTE_ADDR: '127.0.0.1',
        'wsgi.url_scheme': 'http',
        HTTP_HOST: 'localhost:8080',
        HTTP_X_THING: 'ü',
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(environ[name], value, name);
      assert.equal(environ.HTTP_CONNECTION, undefined);
      assert.equal(environ.HTTP_X_HOP, undefined);
    });

    await t.test('a host that ALLOWED_HOSTS does not name', async () => {
      assert.equal((await ask(site.url, '/', { headers: { Host: 'evil.example' } })).status, 400);
    });

    await t.test('one request id in the answer, the environ and the access log', async () => {
      const answer = await ask(site.url, '/environ?id', { headers: { 'X-Request-ID': 'forged' } });
      const id = answer.headers['x-request-id'];
      const { environ } = JSON.parse(answer.text) as EnvironReport;
      assert.notEqual(id, 'forged');
      assert.equal(environ.HTTP_X_REQUEST_ID, id);
      const record = await site.waitFor('access', ({ path }) => path === '/environ?id');
      assert.deepEqual(
        { method: record.method, status: record.status, bytes: record.bytes, client: record.client },
        { method: 'GET', status: 200, bytes: answer.body.length, client: '127.0.0.1' },
      );
      assert.equal(record.requestId, id);
      assert.ok(Number(record.durationMs) > 0);
      assert.notEqual((await ask(site.url, '/version')).headers['x-request-id'], id);
    });

    await t.test('what a client says about proxies is dropped', async () => {
      const { environ, host, secure } = await askEnviron(site, '/environ', {
        headers: {
          'X-Forwarded-For': '203.0.113.9',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-Host': 'evil.example',
          'X-Forwarded-Port': '443',
          'X-Real-IP': '203.0.113.9',
          Forwarded: 'for=203.0.113.9',
          X_Forwarded_For: '203.0.113.9',
          'X.Real.IP': '203.0.113.9',
          Proxy: 'http://evil.example',
        },
      });
      assert.equal(environ.REMOTE_ADDR, '127.0.0.1');
      assert.equal(environ.HTTP_X_FORWARDED_FOR, '127.0.0.1');
      assert.equal(environ.HTTP_X_FORWARDED_PROTO, 'http');
      assert.equal(environ.HTTP_X_FORWARDED_HOST, environ.HTTP_HOST);
      assert.equal(environ['wsgi.url_scheme'], 'http');
      assert.equal(secure, false);
      assert.equal(`http://${host}/`, site.url);
      for (const [name, value] of Object.entries(environ)) assert.doesNotMatch(value, /203\.0|evil/, name);
    });

    await t.test('the admin: login with a CSRF token, a session, logout', async () => {
      const visitor = new Visitor(site.url);
      assert.equal((await visitor.get('/admin/')).status, 302);

      const forged = await visitor.post('/admin/login/', new URLSearchParams(journalAdmin).toString());
      assert.equal(forged.status, 403);
      const wrong = await visitor.submit('/admin/login/', { ...journalAdmin, password: 'wrong' });
      assert.equal(wrong.status, 200);
      assert.equal(visitor.cookie('sessionid'), undefined);

      const login = await visitor.submit('/admin/login/?next=/admin/', journalAdmin);
      assert.equal(login.status, 302);
      assert.equal(login.headers.location, '/admin/');
      // Asked several times, so that each process of a cluster has its turn.
      for (let round = 0; round < 4; round += 1) {
        const page = await visitor.get('/admin/journal/photo/');
        assert.equal(page.status, 200);
        assert.match(page.text, /3 photos/);
      }
      const change = await visitor.submit('/admin/journal/photo/1/change/', {
        title: 'Grüße aus dem Tal',
        place: '',
        caption: '',
        taken_on: '2026-03-21',
      });
      assert.equal(change.status, 302, change.text);
      assert.match((await visitor.get('/photos/1/')).text, /<h1>Grüße aus dem Tal<\/h1>/);

      const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec((await visitor.get('/admin/')).text)?.[1];
      assert.equal((await visitor.post('/admin/logout/', `csrfmiddlewaretoken=${token}`)).status, 200);
      assert.equal((await visitor.get('/admin/')).status, 302);
    });

    await t.test('the admin has its static files', async () => {
      const { text } = await ask(site.url, '/admin/login/');
      const [, url = ''] = /href="(\/static\/admin\/css\/base\.[0-9a-f]{12}\.css)"/.exec(text) ?? [];
      assert.equal((await ask(site.url, url)).status, 200);
    });
  });

  testIn('a trusted proxy is believed', async (t) => {
    const proxyHeaders = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host'];
    const settings = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'], proxyHeaders };
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings });
    const headers = {
      Host: 'localhost',
      'X-Forwarded-For': '198.51.100.7, 203.0.113.9, 10.1.2.3',
      'X-Forwarded-Proto': 'http, https, http',
      'X-Forwarded-Host': 'www.example.org',
      'X-Request-ID': 'from-the-proxy.1',
    };
    const answer = await ask(site.url, '/environ?proxied', { headers });
    const { environ } = JSON.parse(answer.text) as EnvironReport;
    // The address left of the last one that is no proxy may be forged.
    assert.equal(environ.REMOTE_ADDR, '203.0.113.9');
    assert.equal(environ.HTTP_X_FORWARDED_FOR, '203.0.113.9');
    assert.equal(environ['wsgi.url_scheme'], 'https');
    assert.equal(environ.HTTP_X_FORWARDED_PROTO, 'https');
    assert.equal(environ.HTTP_X_FORWARDED_HOST, 'www.example.org');
    assert.equal(environ.HTTP_HOST, 'localhost');
    assert.equal(answer.headers['x-request-id'], 'from-the-proxy.1');
    const record = await site.waitFor('access', ({ path }) => path === '/environ?proxied');
    assert.equal(record.client, '203.0.113.9');
    assert.equal(record.requestId, 'from-the-proxy.1');

    const nonsense = { 'X-Forwarded-For': 'unknown, _hidden', 'X-Request-ID': 'two words' };
    const odd = await ask(site.url, '/environ', { headers: nonsense });
    assert.equal((JSON.parse(odd.text) as EnvironReport).environ.REMOTE_ADDR, '127.0.0.1');
    assert.notEqual(odd.headers['x-request-id'], 'two words');
  });

  testIn('the application is told the truth about its threads and processes', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args: ['--threads', '3'] });
    const expectProcesses = async (isMultiprocess: boolean) => {
      const { multithread, multiprocess } = JSON.parse((await ask(site.url, '/pid')).text);
      assert.deepEqual({ multithread, multiprocess }, { multithread: true, multiprocess: isMultiprocess });
    };
    await expectProcesses(mode === 'cluster');
    for (const processes of [3, 1]) {
      const { code, stderr } = await site.cli('scale', String(processes));
      assert.equal(code, 0, stderr);
      assert.equal((await site.appPids()).length, processes);
      await expectProcesses(processes > 1);
    }
  });
});

/** What stays the same from one answer to the next, and between GET and HEAD (RFC 9110 section 9.3.2 spares framing). */
function lasting({ headers }: HttpAnswer): unknown {
  const {
    date,
    'x-request-id': id,
    'set-cookie': cookies,
    'content-length': length,
    'transfer-encoding': framing,
    ...rest
  } = headers;
  return rest;
}
