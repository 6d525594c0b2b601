import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUrlPath, isHidden, leftMatcher, pathMatcher } from '../../../../src/front/files/url-path.js';

const cases: [path: string, decoded: string | number][] = [
  ['/static/app.css', '/static/app.css'],
  ['/static/a..b/...c/d.', '/static/a..b/...c/d.'],
  ['/static/with%20space.css', '/static/with space.css'],
  ['/static/100%25.css', '/static/100%.css'],
  ['/static/%252e%252e/x', '/static/%2e%2e/x'],
  ['/static/gr%C3%BC%C3%9Fe.css', '/static/grüße.css'],
  ['/static/gr\u00c3\u00bc\u00c3\u009fe.css', '/static/grüße.css'],
  ['/static/%F0%9F%8E%89.png', '/static/🎉.png'],
  ['/static/%', 400],
  ['/static/%4', 400],
  ['/static/%zz.css', 400],
  ['/static/%ff.css', 400],
  ['/static/\u00ff.css', 400],
  ['/static/%c0%af', 400],
  ['/static/%ed%a0%80', 400],
  ['/static/a%00.css', 400],
  ['/static/%00', 400],
  ['/static/..%2f%zz', 400],
  ['/static/', 404],
  ['/static//app.css', 404],
  ['//static/app.css', 404],
  ['/static/./app.css', 404],
  ['/static/../app.css', 404],
  ['/static/..', 404],
  ['/static/.', 404],
  ['/static/%2e%2e/app.css', 404],
  ['/static/.%2E/app.css', 404],
  ['/static/%2e', 404],
  ['/static/css%2fapp.css', 404],
  ['/static/css%2Fapp.css', 404],
  ['/static/..%2f..%2fetc%2fpasswd', 404],
  ['/static/css\\app.css', 404],
  ['/static/..\\..\\x', 404],
  ['/static/css%5capp.css', 404],
  ['/static/..%5C..%5Cx', 404],
];

for (const [path, expected] of cases) {
  test(`decodeUrlPath(${JSON.stringify(path)}) is ${JSON.stringify(expected)}`, () => {
    assert.equal(decodeUrlPath(path), expected);
  });
}

test('a prefix matches what lies under it, at any depth', () => {
  const isBelow = pathMatcher('/a/b/static/');
  assert.ok(isBelow('/a/b/static/x.css'));
  assert.ok(isBelow('/a/b/static/'));
  assert.ok(!isBelow('/a/b/static'));
  assert.ok(!isBelow('/a/b/statics/x.css'));
  assert.ok(!isBelow('/static/x.css'));
});

test('a prefix that is not ASCII matches its escaped form', () => {
  const isBelow = pathMatcher('/файлы/');
  assert.ok(isBelow('/%D1%84%D0%B0%D0%B9%D0%BB%D1%8B/x.css'));
  assert.ok(!isBelow('/x.css'));
});

test('a hidden segment is found anywhere', () => {
  assert.ok(isHidden('.env'));
  assert.ok(isHidden('a/.git/config'));
  assert.ok(!isHidden('a.b/c.d'));
});

const leftCases: [pieces: readonly string[], isExact: boolean, left: string[], served: string[]][] = [
  [['/m/p/'], false, ['/m/p/', '/m/p/a'], ['/m/p', '/m/a/p/']],
  [['/m/a'], true, ['/m/a'], ['/m/a/b', '/m/aa']],
  [['/', 'p/'], false, ['/m/p/a', '/m/x/op/a'], ['/m/p', '/m/a']],
  [['/', '/p/'], false, ['/m/p/a'], ['/m/pp/a', '/p/a']],
  [['/m', '/b', '/b'], true, ['/m/b/b', '/m/b/x/b'], ['/m/b', '/m/b/bb', '/m/b/b/']],
  [['/m/', '.txt'], true, ['/m/a.txt', '/m/.txt'], ['/m/a.txt/b', '/m.txt']],
];

test('an address is left to the application where it has the pieces of the pattern, in their order', () => {
  for (const [pieces, isExact, left, served] of leftCases) {
    const isLeft = leftMatcher([{ pieces, isExact }]);
    for (const path of left) assert.ok(isLeft(path, path), `${pieces} ${path}`);
    for (const path of served) assert.ok(!isLeft(path, path), `${pieces} ${path}`);
  }
});
