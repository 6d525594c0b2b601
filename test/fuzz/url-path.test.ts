import assert from 'node:assert/strict';
import { join } from 'node:path';
import { decodeUrlPath } from '../../src/front/files/url-path.js';
import { forAll } from '../support/for-all.js';
import { sentPath } from '../support/made-up-exchange.js';

forAll('a path that is looked up names something below its root, and nothing else', sentPath, (path) => {
  const decoded = decodeUrlPath(path);
  if (typeof decoded === 'number') {
    assert.ok(decoded === 400 || decoded === 404);
    return;
  }
  assert.equal(join('/root', decoded), `/root${decoded}`, 'the file system would read another name');
  assert.doesNotMatch(decoded, /\0|\\|\/\/|\/\.{1,2}(?:\/|$)/);
});

forAll('a path without an escape means what it says', sentPath, (path) => {
  if (/^(?:\/[a-z.]*[a-z]+)+$/.test(path)) assert.equal(decodeUrlPath(path), path);
});
