import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../../src/front/exchange.js';
import { type AnswerWatcher, tieRequest } from '../../../../src/front/upstream/session-rule.js';
import type { Affinity } from '../../../../src/project/affinity.js';

interface Given {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function tie(affinity: Affinity, { query = '', headers = {} }: Given) {
  let watcher: AnswerWatcher | undefined;
  const exchange = { query, request: { headers } } as unknown as Exchange;
  const found = tieRequest(exchange, affinity, (given) => {
    watcher = given;
  });
  const begun: string[] = [];
  found?.onceBegun((session) => begun.push(session));
  return { session: found?.session, isTied: found !== undefined, begun, watcher };
}

const engineIo: Affinity = { kind: 'engine.io' };

test('engine.io: the sid of the query, and only in requests of its protocol', () => {
  const of = (query: string) => tie(engineIo, { query });
  assert.equal(of('EIO=4&transport=polling&t=abc&sid=Zx_9').session, 'Zx_9');
  assert.equal(of('EIO=4&transport=websocket&sid=Zx_9').session, 'Zx_9');
  for (const query of ['', 'sid=Zx_9', 'transport=polling', 'EIO=4&transport=websocket']) {
    assert.equal(of(query).isTied, false, query);
  }
});

test('engine.io: the handshake is read from the answer, in both versions of the protocol', () => {
  const begins = (body: string) => {
    const { begun, watcher } = tie(engineIo, { query: 'EIO=4&transport=polling' });
    watcher?.onHead('200 OK\0content-type\0text/plain');
    watcher?.onBody(Buffer.from(body));
    return begun;
  };
  assert.deepEqual(begins('0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"]}'), [
    'lv_VI97HAXpY6yYWAAAC',
  ]);
  assert.deepEqual(begins('0{"upgrades": [], "sid" : "a1"}'), ['a1']);
  assert.deepEqual(begins('96:0{"sid":"a1","upgrades":[]}2:40'), ['a1']);
  for (const other of ['', 'ok', '{"code":1}', '4{"sid":"a"}', '0{"sid":""}'])
    assert.deepEqual(begins(other), []);
});

test('a cookie names the session, and an answer that sets it begins one', () => {
  const affinity: Affinity = { kind: 'cookie', name: 'shop.sid' };
  const cookie = 'other=1; shop.sid=s%3Aabc=; x';
  const { session, begun, watcher } = tie(affinity, { headers: { cookie } });
  assert.equal(session, 's%3Aabc=');
  watcher?.onHead('200 OK\0Set-Cookie\0other=2\0set-cookie\0shop.sid=new; Path=/; HttpOnly');
  assert.deepEqual(begun, ['new']);
  assert.equal(tie(affinity, { headers: {} }).session, undefined);
  assert.equal(tie(affinity, { headers: { cookie: 'shop.sid=' } }).session, undefined);
  assert.equal(tie(affinity, { headers: { cookie: `shop.sid=${'x'.repeat(600)}` } }).session, undefined);
});

test('a header names the session, in the request and in the answer that begins it', () => {
  const affinity: Affinity = { kind: 'header', name: 'Mcp-Session-Id' };
  const { session, begun, watcher } = tie(affinity, { headers: { 'mcp-session-id': 'one' } });
  assert.equal(session, 'one');
  watcher?.onHead('200 OK\0mcp-session-id\0two');
  assert.deepEqual(begun, ['two']);
  assert.equal(tie(affinity, {}).session, undefined);
});
