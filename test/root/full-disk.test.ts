import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAtomically, writeAtomically } from '../../src/control/write-atomically.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { inPrivateWorld } from '../support/private-world.js';
import { easyserveProgram, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const readOnlyTmp = 'mount -t tmpfs -o ro tmpfs /tmp';

/** Leaves an orphan, and has the container stopped once the site is up: a visitor is its own. */
const endsProcess1 = `
import os, signal, subprocess, threading

def application(environ, start_response):
    start_response('200 OK', [])
    if environ['PATH_INFO'] == '/end':
        os.kill(1, signal.SIGTERM)
    return [b'here']

def visit():
    ask = '''
import glob, re, time, urllib.request
while True:
    table = open("/proc/net/tcp").read()
    for port in re.findall(r": 0100007F:([0-9A-F]{4}) 00000000:0000 0A", table):
        try:
            urllib.request.urlopen("http://127.0.0.1:%d/end" % int(port, 16), timeout=5)
        except OSError:
            pass
    time.sleep(0.1)
'''
    subprocess.Popen(['sh', '-c', 'exec setsid "$0" -c "$1" &', sys.executable, ask])

import sys
visit()
`;

/** A disk of this mount namespace alone, which ends with it. */
function mountDisk(size: string): string {
  const dir = mkdtempSync('/mnt/disk-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]);
  return dir;
}

/** The answer gives the room back. */
function fill(disk: string): () => void {
  const path = join(disk, 'filler');
  const file = openSync(path, 'w');
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(file);
  return () => rmSync(path);
}

inPrivateWorld(import.meta.url, () => {
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/mnt']);

  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn('the disk of the log fills, and has room again: the site serves all the while', async (t) => {
      const disk = mountDisk('1m');
      const file = join(disk, 'site.log');
      const output = openSync(file, 'a');
      t.after(() => closeSync(output));
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, output });
      const makeRoom = fill(disk);
      for (let n = 0; n < 300; n += 1) {
        const path = `/version?${'x'.repeat(8000)}`;
        assert.equal((await ask(easyserve.url, path)).status, 200);
      }
      makeRoom();
      // The disk has room for what waits, and then for a line that says what is lost.
      await eventually(() => assert.match(readFileSync(file, 'utf8'), /"log-recovered"|"log-failed"/));
      execFileSync('mount', ['-o', 'remount,size=16m', disk]);
      await eventually(() => assert.match(readFileSync(file, 'utf8'), /"log-recovered"/));
      assert.equal(readFileSync(file, 'utf8').match(/"log-failed"/g)?.length, 1);
      assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
    });
  });

  test('a start on a full disk is one sentence with a way out, and works when there is room', async (t) => {
    const disk = mountDisk('4m');
    const dir = copyFixture('wsgi-hello', join(disk, 'site'));
    const makeRoom = fill(disk);
    for (const args of [['start'], ['start', '--daemon']]) {
      const { code, stdout, stderr } = await runEasyserve(args, { cwd: dir });
      assert.equal(code, 1, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^easyserve: The disk of \S+ is full.*\.\n {2}fix: .*df -h \S+.*\n$/);
    }
    makeRoom();
    await startEasyserve(t, { dir, mode: 'single' });
  });

  test('a start where nothing can be written is one sentence with a way out', async () => {
    const disk = mountDisk('4m');
    const dir = copyFixture('wsgi-hello', join(disk, 'site'));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const { code, stderr } = await runEasyserve(['start'], {
      cwd: dir,
      program: ['unshare', '--mount', 'sh', '-ec', `${readOnlyTmp}\nexec "$@"`, 'sh', ...easyserveProgram],
    });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /^easyserve: Neither the project nor \/tmp can be written.*\.\n {2}fix: .*--tmpfs \/tmp\n$/,
    );
  });

  test('a state file on a full disk keeps its old content, whole, and a new one does not appear', async () => {
    const disk = mountDisk('1m');
    const path = join(disk, 'state.json');
    await writeAtomically(path, 'old');
    const makeRoom = fill(disk);
    const large = 'x'.repeat(100_000);
    await assert.rejects(writeAtomically(path, large), { code: 'ENOSPC' });
    await assert.rejects(createAtomically(join(disk, 'other.json'), large), { code: 'ENOSPC' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(disk).sort(), ['filler', 'state.json']);
    makeRoom();
    await writeAtomically(path, large);
    assert.equal(readFileSync(path, 'utf8'), large);
  });

  test('as process 1 of a container it says that an init is needed; under an init it says nothing', async (t) => {
    const container = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    writeFileSync(join(dir, 'app.py'), 'raise RuntimeError("enough")\n');
    const run = (program: readonly string[]) =>
      runEasyserve(['start', '--host', '127.0.0.1', '--port', '0'], { cwd: dir, program });
    const alone = await run([...container, ...easyserveProgram]);
    assert.match(alone.stderr, /"no-init".*docker run --init/);
    const underInit = await run([...container, 'sh', '-c', '"$@"; exit $?', 'sh', ...easyserveProgram]);
    assert.doesNotMatch(underInit.stderr, /"no-init"/);

    // `docker stop` sends SIGTERM to process 1, which the kernel drops where nobody handles it (pid_namespaces(7)).
    writeFileSync(join(dir, 'app.py'), endsProcess1);
    const stopped = await run([...container, ...easyserveProgram]);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /"event":"ready".*"event":"stopped"/s);
  });
});
