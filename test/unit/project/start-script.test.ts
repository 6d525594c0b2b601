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

test('a compiler before the file is the same compiler as a flag of Node.js', () => {
  const started = (script: string) => {
    const { nodeArgs = [], file, args = [], leftOut } = readNodeCommand(script) ?? {};
    return [[...nodeArgs, file, ...args].join(' '), leftOut];
  };
  assert.deepEqual(started('tsx src/index.ts'), ['--import tsx src/index.ts', undefined]);
  assert.deepEqual(started('npx tsx --env-file=.env src/index.ts --port 1'), [
    '--import tsx --env-file=.env src/index.ts --port 1',
    undefined,
  ]);
  assert.deepEqual(started('ts-node -r tsconfig-paths/register src/main.ts'), [
    '--require ts-node/register -r tsconfig-paths/register src/main.ts',
    undefined,
  ]);
  // What watches the files is left out.
  assert.deepEqual(started('tsx watch src/index.ts'), ['--import tsx src/index.ts', 'tsx watch']);
  assert.deepEqual(started('node --watch --watch-path ./src server.js'), ['server.js', '--watch']);
  assert.deepEqual(started('nodemon -w src --ext js,json server.js'), ['server.js', 'nodemon']);
  assert.deepEqual(started('nodemon --exec "node --import tsx" src/index.ts'), [
    '--import tsx src/index.ts',
    'nodemon',
  ]);
  assert.deepEqual(started('nodemon src/index.ts'), ['--require ts-node/register src/index.ts', 'nodemon']);
  assert.deepEqual(started('ts-node-dev --respawn src/index.ts'), [
    '--require ts-node/register src/index.ts',
    'ts-node-dev',
  ]);
});

test('what builds the file first is left out, and told', () => {
  for (const build of [
    'tsc',
    'tsc -p tsconfig.build.json',
    'npx tsc --build',
    'npm run build',
    'yarn build:server',
    'rimraf dist && tsc',
    'prisma generate && nest build',
  ]) {
    const command = readNodeCommand(`${build} && NODE_ENV=production node dist/main.js`);
    assert.deepEqual(
      [command?.file, command?.build, command?.env.NODE_ENV],
      ['dist/main.js', build, 'production'],
    );
  }
});

for (const script of [
  'next start',
  'prisma migrate deploy && node server.js',
  'npm run migrate && node server.js',
  'cd server && node server.js',
  'tsc --watch && node server.js',
  'tsc; node server.js',
  'tsc && node server.js || exit 1',
  'node server.js > log.txt',
  'node server.js &',
  'PORT=$MY_PORT node server.js',
  'node "$FILE"',
  'node server-*.js',
  'node -e "1"',
  'node --test',
  'node',
  'node --enable-source-maps',
  'node "unclosed',
  'nodemon --exec "python3 app.py"',
  'tsx --tsconfig other.json src/index.ts',
  'ts-node --transpile-only src/index.ts',
  'bun src/index.ts',
  '',
]) {
  test(`left to the shell: ${script}`, () => {
    assert.equal(readNodeCommand(script), undefined);
  });
}
