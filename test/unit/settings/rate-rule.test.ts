import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateRules, readRateRule } from '../../../src/settings/rate-rule.js';

test('a rule is read exactly, or refused', () => {
  const rule = readRateRule('POST|PUT /api/* 30/m burst 5');
  assert.deepEqual(rule?.methods, ['POST', 'PUT']);
  assert.deepEqual([rule?.perSecond, rule?.burst], [0.5, 5]);
  assert.equal(readRateRule('/ 2/s')?.burst, 2);
  assert.equal(readRateRule('/ 36/h')?.perSecond, 0.01);
  for (const wrong of [
    '',
    'logins',
    'constructor',
    '/',
    '/ 0/s',
    '/ 5/d',
    'post / 5/s',
    'api 5/s',
    '/ 5/s burst 0',
    '/ 5/s burst',
    '/ -1/s',
  ]) {
    assert.equal(readRateRule(wrong), undefined, wrong);
  }
});

test('a star stands for anything; a path that is made for it takes no time', () => {
  for (const [pattern, path, isMeant] of [
    ['/a', '/a', true],
    ['/a', '/ab', false],
    ['/a*', '/a', true],
    ['/a*/b*c', '/ax/bc', true],
    ['/a*a', '/a', false],
    ['/*.php', '/x/y.php', true],
    ['/a.c', '/abc', false],
    [`/${'*a'.repeat(20)}*c`, `/${'a'.repeat(100_000)}b`, false],
  ] as const) {
    assert.equal(readRateRule(`${pattern} 5/s`)?.isMeant(path), isMeant, pattern);
  }
});

test('one rule or a list, as text separated by commas', () => {
  assert.ok(rateRules.accepts('login'));
  assert.ok(rateRules.accepts(['login', '/ 100/s']));
  for (const wrong of [5, null, ['x'], [['login']], {}, true]) assert.ok(!rateRules.accepts(wrong));
  assert.deepEqual(rateRules.read('login, / 100/s burst 200'), ['login', '/ 100/s burst 200']);
  assert.deepEqual(rateRules.read(''), []);
});
