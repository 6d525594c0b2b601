import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { StaticTable } from '../../../src/front/files/static-table.js';
import { ClientLoad } from '../../../src/front/limits/client-load.js';
import { TokenBuckets } from '../../../src/front/limits/token-buckets.js';
import { buildPipeline } from '../../../src/front/pipeline.js';
import { defaultSettings } from '../../support/default-settings.js';
import { makeFileTree } from '../../support/file-tree.js';
import { makeSpool } from '../../support/make-spool.js';
import { type ServedFront, serveFront } from '../../support/serve-front.js';

/** Static files below /static/, media below /static/media/, and an application that answers with its name. */
async function serve(t: TestContext, hasStatic = true): Promise<ServedFront> {
  const root = await makeFileTree(t, { 'static/a.txt': 'static', 'media/b.txt': 'media' });
  const served = await serveFront(t, []);
  const options = { memoryFileBytes: 1000, compress: false, compressMinBytes: 1000 };
  const place = { prefix: '/static/', root: join(root, 'static'), found: undefined, manifest: undefined };
  served.configure(
    buildPipeline({
      needs: { protocol: 'gateway', readsBodiesFirst: true, uploadPlaces: 1, decidesFraming: false },
      tls: undefined,
      names: [],
      settings: defaultSettings(),
      tables: hasStatic ? [await StaticTable.build(place, options)] : [],
      site: undefined,
      folders: [{ prefix: '/media/', root: join(root, 'media'), maxAgeSeconds: 0, userContent: true }],
      rateCounter: new TokenBuckets(served.clock),
      clock: served.clock,
      clientLoad: new ClientLoad(served.clock, served.log),
      dispatcher: { dispatch: ({ exchange }) => exchange.respond(200, [], 'application') },
      spool: makeSpool(root, served.log),
      log: served.log,
    }),
  );
  return served;
}

test('of several prefixes the longest goes first; at / only what is there hides the application', async (t) => {
  const root = await makeFileTree(t, {
    'all/robots.txt': 'robots',
    'all/index.html': '',
    'deep/a.txt': 'deep',
  });
  const served = await serveFront(t, []);
  const options = { memoryFileBytes: 1000, compress: false, compressMinBytes: 1000 };
  const sources = [
    { prefix: '/', root: join(root, 'all') },
    { prefix: '/a/b/', root: join(root, 'deep') },
  ];
  served.configure(
    buildPipeline({
      needs: { protocol: 'gateway', readsBodiesFirst: true, uploadPlaces: 1, decidesFraming: false },
      tls: undefined,
      names: [],
      settings: defaultSettings(),
      tables: await Promise.all(sources.map((source) => StaticTable.build(source, options))),
      site: undefined,
      folders: [{ prefix: '/a/', root: join(root, 'all'), maxAgeSeconds: 0, userContent: true }],
      rateCounter: new TokenBuckets(served.clock),
      clock: served.clock,
      clientLoad: new ClientLoad(served.clock, served.log),
      dispatcher: { dispatch: ({ exchange }) => exchange.respond(200, [], 'application') },
      spool: makeSpool(root, served.log),
      log: served.log,
    }),
  );
  assert.equal(await ask(served, '/robots.txt'), 'robots');
  assert.equal(await ask(served, '/a/robots.txt'), 'robots');
  assert.equal(await ask(served, '/a/b/a.txt'), 'deep');
  for (const path of ['/a/b/missing', '/a/missing']) assert.match(await ask(served, path), /Not Found/);
  for (const path of ['/', '/missing', '/%2e%2e/x', '/b/a.txt']) {
    assert.equal(await ask(served, path), 'application');
  }
});

async function ask(served: ServedFront, path: string): Promise<string> {
  const text = await served.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

test('static files, then folders, then the application', async (t) => {
  const served = await serve(t);
  assert.equal(await ask(served, '/static/a.txt'), 'static');
  assert.equal(await ask(served, '/media/b.txt'), 'media');
  assert.equal(await ask(served, '/anything'), 'application');
});

test('what is missing below a prefix is not asked of the application', async (t) => {
  const served = await serve(t);
  for (const path of ['/static/missing', '/media/missing']) {
    assert.match(await ask(served, path), /Not Found/);
  }
});

test('without a table the application answers for its static files', async (t) => {
  assert.equal(await ask(await serve(t, false), '/static/a.txt'), 'application');
});
