import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.js';
import { countOpenFiles } from '../../../support/file-tree.js';
import { serveFiles } from '../../../support/serve-folder.js';

const digits = '0123456789';

const refusals: [path: string, status: number][] = [
  ['/media/missing.png', 404],
  ['/media/', 404],
  ['/media/photos', 404],
  ['/media/photos/', 404],
  ['/media/photos/a.png/', 404],
  ['/media/photos/a.png/more', 404],
  ['/media/photos//a.png', 404],
  ['/media//photos/a.png', 404],
  ['/media/./photos/a.png', 404],
  ['/media/../secret', 404],
  ['/media/photos/../../secret', 404],
  ['/media/%2e%2e/secret', 404],
  ['/media/..%2fsecret', 404],
  ['/media/%2e%2e%2fsecret', 404],
  ['/media/%2fetc%2fpasswd', 404],
  ['/media/..\\secret', 404],
  ['/media/..%5csecret', 404],
  ['/media/%252e%252e/secret', 404],
  ['/media/.env', 404],
  ['/media/.git/config', 404],
  ['/media/%2eenv', 404],
  ['/media/link-out', 404],
  ['/media/link-out-folder/secret', 404],
  ['/media/link-beside/secret', 404],
  ['/media/dangling', 404],
  ['/media/circle', 404],
  [`/media/${'a'.repeat(300)}`, 404],
  [`/media/${'a/'.repeat(3000)}a`, 404],
  ['/media/%', 400],
  ['/media/%zz', 400],
  ['/media/%ff', 400],
  ['/media/%c0%ae%c0%ae/secret', 400],
  ['/media/photos/a.png%00', 400],
  ['/media/%00', 400],
];
for (const [path, status] of refusals) {
  test(`${path.slice(0, 60)}: ${status}, and no file`, async (t) => {
    const files = { 'photos/a.png': digits, '.env': 'SECRET', '.git/config': 'SECRET' };
    const { served, root } = await serveFiles(t, files);
    await symlink('../secret', join(root, 'link-out'));
    await symlink('..', join(root, 'link-out-folder'));
    await symlink('../root-beside', join(root, 'link-beside'));
    await symlink('nothing', join(root, 'dangling'));
    await symlink('circle', join(root, 'circle'));
    const answer = await served.ask(path);
    assert.equal(answer.status, status);
    assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
    assert.ok(!answer.body.includes('SECRET') && !answer.body.includes(digits));
    await eventually(async () => assert.equal(await countOpenFiles(root), 0));
  });
}

test('of links that lead out of the folder the log tells once, and of nothing else', async (t) => {
  const { served, root, log } = await serveFiles(t, { 'photos/a.png': digits });
  await symlink('../root-beside', join(root, 'films'));
  for (const path of ['', 'photos', 'missing', '..%2fsecret']) await served.ask(`/media/${path}`);
  assert.equal(log.records.length, 0);
  for (const path of ['films/secret', 'films/secret', 'films']) await served.ask(`/media/${path}`);
  const [told, ...more] = log.records;
  assert.equal(more.length, 0);
  assert.equal(told?.event, 'folder-link-refused');
  assert.equal(told.fields.path, join(root, 'films/secret'));
  assert.match(String(told.fields.hint), /static = \{"\/media\/more\/" = "/);
});
