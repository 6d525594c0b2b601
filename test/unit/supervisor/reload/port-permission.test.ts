import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayBindPort } from '../../../../src/supervisor/reload/site-sockets.js';

function mayBind(port: number, capabilities: string | undefined, start?: string): boolean {
  return mayBindPort(port, (path) => {
    if (path.endsWith('port_start')) return start;
    return capabilities === undefined ? undefined : `Name:\tnode\nCapEff:\t${capabilities}\n`;
  });
}

test('below the first unprivileged port only with CAP_NET_BIND_SERVICE', () => {
  assert.equal(mayBind(80, '0000000000000000'), false);
  assert.equal(mayBind(80, '0000000000000400'), true);
  assert.equal(mayBind(80, '000001ffffffffff'), true);
  assert.equal(mayBind(1024, '0000000000000000'), true);
  assert.equal(mayBind(80, '0000000000000000', '80\n'), true);
  assert.equal(mayBind(79, '0000000000000000', '80\n'), false);
  assert.equal(mayBind(0, '0000000000000000'), true);
});

test('off Linux, binding has to tell', () => {
  assert.equal(mayBind(80, undefined), true);
});
