import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitCommand, unitPaths, unitValue } from '../../../../src/cli/systemd/unit-text.js';

test('words that mean something to systemd are quoted and doubled', () => {
  assert.equal(unitCommand(['/usr/bin/node', '--set=a=b']), '/usr/bin/node --set=a=b');
  assert.equal(unitCommand(['/srv/my site', '%h', '$HOME']), '"/srv/my site" %%h $$HOME');
  assert.equal(unitCommand(['a"b', 'c\\d', '', ';']), '"a\\"b" "c\\\\d" "" ";"');
  assert.equal(unitPaths(['/srv/a', '/srv/b c']), '-/srv/a "-/srv/b c"');
});

test('a line break cannot begin another setting', () => {
  assert.throws(() => unitValue('/srv/a\nUser=root'), /cannot hold/);
});
