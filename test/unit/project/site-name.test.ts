import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userNameFor } from '../../../src/privileges/adoption/system-user.js';
import { siteName } from '../../../src/project/site-name.js';

test('a site is called like its folder, or like the one above where many sites have such a folder', () => {
  for (const [path, name] of [
    ['/srv/shop', 'shop'],
    ['/srv/shop/current', 'shop'],
    ['/var/www/Shop/htdocs', 'Shop'],
    // Nobody's site is called anna, srv or www.
    ['/home/anna/mysite', 'mysite'],
    ['/home/anna/shop/app', 'shop'],
    ['/root/mysite', 'mysite'],
    ['/srv/app', 'app'],
    ['/var/www/html', 'html'],
    ['/app', 'app'],
  ] as const) {
    assert.equal(siteName(path), name, path);
    assert.equal(userNameFor(path), `easyserve-${name.toLowerCase()}`, path);
  }
});
