import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Held, MemoryBudget } from '../../../../src/front/files/memory-budget.js';

function entry(): Held {
  return { body: undefined, wasUsed: false };
}

test('what fits is kept', () => {
  const budget = new MemoryBudget(100);
  const [a, b] = [entry(), entry()];
  budget.hold(a, Buffer.alloc(60));
  budget.hold(b, Buffer.alloc(40));
  assert.equal(a.body?.length, 60);
  assert.equal(b.body?.length, 40);
  assert.equal(budget.usedBytes, 100);
});

test('what was not used makes room, oldest first', () => {
  const budget = new MemoryBudget(100);
  const [a, b, c] = [entry(), entry(), entry()];
  budget.hold(a, Buffer.alloc(50));
  budget.hold(b, Buffer.alloc(50));
  budget.hold(c, Buffer.alloc(10));
  assert.equal(a.body, undefined);
  assert.equal(b.body?.length, 50);
  assert.equal(c.body?.length, 10);
  assert.equal(budget.usedBytes, 60);
});

test('what was used gets a second chance, and no third without being used again', () => {
  const budget = new MemoryBudget(100);
  const [a, b, c, d] = [entry(), entry(), entry(), entry()];
  budget.hold(a, Buffer.alloc(50));
  budget.hold(b, Buffer.alloc(50));
  a.wasUsed = true;
  budget.hold(c, Buffer.alloc(50));
  assert.equal(a.body?.length, 50);
  assert.equal(b.body, undefined);
  budget.hold(d, Buffer.alloc(50));
  assert.equal(a.body, undefined);
});

test('room is made even when everything was used', () => {
  const budget = new MemoryBudget(100);
  const [a, b, c] = [entry(), entry(), entry()];
  budget.hold(a, Buffer.alloc(50));
  budget.hold(b, Buffer.alloc(50));
  a.wasUsed = true;
  b.wasUsed = true;
  budget.hold(c, Buffer.alloc(100));
  assert.equal(c.body?.length, 100);
  assert.equal(budget.usedBytes, 100);
});

test('what is larger than the whole budget is not kept and pushes nothing out', () => {
  const budget = new MemoryBudget(100);
  const [a, b] = [entry(), entry()];
  budget.hold(a, Buffer.alloc(50));
  budget.hold(b, Buffer.alloc(101));
  assert.equal(a.body?.length, 50);
  assert.equal(b.body, undefined);
});

test('holding again replaces', () => {
  const budget = new MemoryBudget(100);
  const a = entry();
  budget.hold(a, Buffer.alloc(80));
  budget.hold(a, Buffer.alloc(90));
  assert.equal(a.body?.length, 90);
  assert.equal(budget.usedBytes, 90);
});
