import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { leftoversOf, stateFoldersOf } from '../support/leftovers.js';
import { runEasyserve } from '../support/run-easyserve.js';

const { stringify } = JSON;

/** Files, exit code, what is said. */
const failures: readonly [string, Readonly<Record<string, string>>, number, RegExp][] = [
  [
    'never listens',
    { 'server.js': 'setInterval(() => {}, 1000)' },
    5,
    /was not ready after 1\.5 s[\s\S]*event loop is free[\s\S]*fix: It has to call listen\(\)/,
  ],
  [
    'listens twice',
    {
      'server.js':
        "const { createServer } = require('http'); createServer().listen(1); createServer().listen(2)",
    },
    5,
    /listens twice, on port 1 and on port 2\.\n[\s\S]*fix: Name the one that is not the site: easyserve start --set appPorts=1 or 2/,
  ],
  [
    'exits at once',
    { 'server.js': 'process.exit(0)' },
    5,
    /could not be loaded: it called process\.exit\(0\) before it listened\.\n[\s\S]*fix: It has to call listen\(\)/,
  ],
  [
    'exports nothing that answers',
    { 'server.js': 'module.exports = { answer: 42 }' },
    5,
    /ended without listening, and exports neither a handler nor a server\.\n[\s\S]*fix: /,
  ],
  [
    'has a syntax error',
    { 'server.js': '\nconst x = ;' },
    5,
    /could not be loaded: SyntaxError: Unexpected token ';'\.\n[\s\S]*server\.js:2\n[\s\S]*const x = ;/,
  ],
  [
    'requires what is not installed',
    { 'server.js': "require('no-such-package')" },
    5,
    /could not be loaded: Error: Cannot find module 'no-such-package'\.\n[\s\S]*server\.js:1/,
  ],
  ['package.json is no JSON', { 'package.json': '{' }, 4, /package\.json is no JSON/],
  [
    'the start script names a file that has to be built',
    { 'package.json': stringify({ scripts: { start: 'node dist/a.js', build: 'tsc' } }) },
    4,
    /There is no file .*dist\/a\.js[\s\S]*fix: npm run build/,
  ],
];

test('check starts the application once, says what a start would say, and leaves nothing', async (t) => {
  const dir = makeTempDir(t);
  const tmp = makeTempDir(t);
  writeFileSync(join(dir, 'package.json'), '{}');
  const look = async (source: string) => {
    writeFileSync(join(dir, 'server.js'), source);
    return runEasyserve(['check', dir, '--port', '0'], { cwd: dir, env: { TMPDIR: tmp } });
  };
  const good = await look("require('http').createServer().listen(3000)");
  assert.match(good.stdout, /application: Node\.js, .*server\.js, started, \d+ MB in memory/);
  const bad = await look("require('no-such-package')");
  assert.equal(bad.code, 5, bad.stdout);
  assert.match(
    bad.stdout,
    /could not be loaded: Error: Cannot find module 'no-such-package'\. \[app-exited\]/,
  );
  assert.deepEqual(readdirSync(tmp), []);
});

// Each error says what is wrong and what to do; the exit codes are those of docs/exit-codes.md.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const [what, files, exitCode, said] of failures) {
    testIn(what, async (t) => {
      const dir = makeTempDir(t);
      for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
        writeFileSync(join(dir, name), text);
      }
      const processes = mode === 'single' ? '1' : '2';
      const settings = ['--set', 'readyTimeoutMs=1500'];
      const { code, stderr } = await runEasyserve(
        ['start', dir, '--host', '127.0.0.1', '--port', '0', '--processes', processes, ...settings],
        { cwd: dir },
      );
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, said);
      assert.deepEqual(leftoversOf(stateFoldersOf(dir)), []);
    });
  }
});
