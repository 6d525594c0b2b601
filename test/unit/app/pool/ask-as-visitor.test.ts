import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askAsVisitor } from '../../../../src/app/pool/ask-as-visitor.js';
import type { Probe, ProbeResult } from '../../../../src/contracts/upstream.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeProbe } from '../../../support/make-probe.js';

type Answers = Readonly<Record<string, number | string>>;

/** A site that answers by address: a status, or where it redirects to. Anything else is a 404. */
function siteOf(answers: Answers) {
  const asked: string[] = [];
  return {
    asked,
    async probe({ scheme, host, path }: Probe): Promise<ProbeResult> {
      const address = `${scheme}://${host}${path}`;
      asked.push(address);
      const answer = answers[address] ?? 404;
      return typeof answer === 'number'
        ? { status: answer, bodyHead: '' }
        : { status: 302, bodyHead: '', location: answer };
    },
  };
}

const first = { host: 'shop.example' };

const cases: [what: string, answers: Answers, status: number, asked: number][] = [
  ['a page', { 'http://shop.example/': 200 }, 200, 1],
  ['to https', { 'http://shop.example/': 'https://shop.example/', 'https://shop.example/': 500 }, 500, 2],
  [
    'to www, then to a language',
    {
      'http://shop.example/': 'http://www.shop.example/',
      'http://www.shop.example/': '/de/',
      'http://www.shop.example/de/': 503,
    },
    503,
    3,
  ],
  ['to another site', { 'http://shop.example/': 'https://accounts.example/login' }, 302, 1],
  ['to no web address', { 'http://shop.example/': 'mailto:shop@shop.example' }, 302, 1],
  ['to no address at all', { 'http://shop.example/': 'http://[' }, 302, 1],
  ['in a circle', { 'http://shop.example/': '/b', 'http://shop.example/b': '/' }, 302, 2],
];
for (const [what, answers, status, asked] of cases) {
  test(`redirects are followed within the site: ${what}`, async () => {
    const site = siteOf(answers);
    const result = await askAsVisitor(site, makeProbe(first), new FakeClock());
    assert.equal(result.status, status);
    assert.equal(site.asked.length, asked);
  });
}

test('a chain without an end is left', async () => {
  const site = siteOf(
    Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`http://shop.example/${at}`, `/${at + 1}`])),
  );
  const result = await askAsVisitor(site, makeProbe({ ...first, path: '/0' }), new FakeClock());
  assert.equal(result.status, 302);
  assert.equal(site.asked.length, 6);
});

test('what lies outside of the prefix is not asked for', async () => {
  const site = siteOf({ 'http://shop.example/shop/': '/shopping', 'http://shop.example/shop/a': '/shop' });
  for (const path of ['/shop/', '/shop/a']) {
    await askAsVisitor(site, makeProbe({ ...first, path, scriptName: '/shop' }), new FakeClock());
  }
  const paths = site.asked.map((address) => new URL(address).pathname);
  assert.deepEqual(paths, ['/shop/', '/shop/a', '/shop']);
});
