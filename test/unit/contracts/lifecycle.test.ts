import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appLifecycle, instanceLifecycle } from '../../../src/contracts/lifecycle.js';

const appTable: Record<string, string[]> = {
  starting: ['ready', 'stopping', 'exited'],
  ready: ['draining', 'stopping', 'exited'],
  draining: ['stopping', 'exited'],
  stopping: ['exited'],
  exited: [],
};
/** How each state is reached. */
const appPaths: Record<string, ('ready' | 'draining' | 'stopping' | 'exited')[]> = {
  starting: [],
  ready: ['ready'],
  draining: ['ready', 'draining'],
  stopping: ['stopping'],
  exited: ['exited'],
};

for (const [state, path] of Object.entries(appPaths)) {
  test(`an application process that is ${state}`, () => {
    const changes: string[] = [];
    const lifecycle = appLifecycle((to, from) => changes.push(`${from} ${to}`));
    for (const step of path) lifecycle.become(step);
    assert.equal(lifecycle.state, state);
    assert.equal(changes.length, path.length);
    for (const to of ['starting', 'ready', 'draining', 'stopping', 'exited'] as const) {
      assert.equal(lifecycle.canBecome(to), appTable[state]?.includes(to), `${state} -> ${to}`);
    }
  });
}

test('a transition that is not in the table is a bug: it throws, and changes nothing', () => {
  const lifecycle = appLifecycle(() => assert.fail());
  assert.throws(() => lifecycle.become('draining'), /state starting cannot become draining/);
  assert.equal(lifecycle.state, 'starting');
});

test('an instance can stop from every state', () => {
  for (const path of [[], ['running'], ['running', 'reloading'], ['running', 'restarting']] as const) {
    const lifecycle = instanceLifecycle(() => {});
    for (const step of path) lifecycle.become(step);
    assert.equal(lifecycle.canBecome('stopping'), true);
    lifecycle.become('stopping');
    assert.equal(lifecycle.canBecome('running'), false);
    lifecycle.become('stopped');
  }
});

test('an instance does one thing at a time', () => {
  const lifecycle = instanceLifecycle(() => {});
  lifecycle.become('running');
  lifecycle.become('reloading');
  assert.equal(lifecycle.canBecome('restarting'), false);
  lifecycle.become('running');
  assert.equal(lifecycle.canBecome('restarting'), true);
});
