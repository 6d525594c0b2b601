import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNodeCommand } from '../../../src/project/start-script.js';

test('a file, with what stands before and behind it', () => {
  assert.deepEqual(readNodeCommand('node server.js'), {
    env: {},
    nodeArgs: [],
    file: 'server.js',
    args: [],
  });
  const script =
    'cross-env NODE_ENV=production  NAME="my site" node -r dotenv/config --enable-source-maps dist/main.js --port \'3 000\'';
  assert.deepEqual(readNodeCommand(script), {
    env: { NODE_ENV: 'production', NAME: 'my site' },
    nodeArgs: ['-r', 'dotenv/config', '--enable-source-maps'],
    file: 'dist/main.js',
    args: ['--port', '3 000'],
  });
  assert.equal(readNodeCommand('node --import=tsx -- server.ts')?.file, 'server.ts');
  assert.equal(readNodeCommand("A='' node .")?.env.A, '');
});

for (const script of [
  'next start',
  'npm run build && node server.js',
  'node server.js > log.txt',
  'node server.js &',
  'PORT=$MY_PORT node server.js',
  'node "$FILE"',
  'node server-*.js',
  'node --watch server.js',
  'node -e "1"',
  'node --test',
  'node',
  'node --enable-source-maps',
  'node "unclosed',
  'nodemon server.js',
  '',
]) {
  test(`left to the shell: ${script}`, () => {
    assert.equal(readNodeCommand(script), undefined);
  });
}
