import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { readListeningPorts } from '../../../../src/app/process/listening-ports.js';
import { makeFileTree } from '../../../support/file-tree.js';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function row(port: number, state: string, inode: number): string {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return `   0: 0100007F:${hexPort} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1\n`;
}

test('the ports that a group of processes was told to listen on', async (t) => {
  const proc = await makeFileTree(t, {
    'net/tcp': head + row(8001, '0A', 11) + row(9464, '0A', 12) + row(9465, '01', 13) + row(40_000, '0A', 14),
    'net/tcp6': head + row(9100, '0A', 15) + row(22, '0A', 16),
    '70/stat': '70 (sh) S 1 70 70 0',
    '71/stat': '71 (a) b) c) S 70 70 70 0',
    '80/stat': '80 (sshd) S 1 80 80 0',
  });
  for (const [pid, ...inodes] of [
    [70, 11],
    [71, 12, 13, 14, 15],
    [80, 16],
  ]) {
    mkdirSync(`${proc}/${pid}/fd`);
    for (const inode of inodes) symlinkSync(`socket:[${inode}]`, `${proc}/${pid}/fd/${inode}`);
    symlinkSync('/dev/null', `${proc}/${pid}/fd/0`);
  }
  assert.deepEqual(await readListeningPorts(70, proc), [8001, 9100, 9464]);
  assert.deepEqual(await readListeningPorts(99, proc), []);
  assert.deepEqual(await readListeningPorts(70, `${proc}/nothing`), []);
});
