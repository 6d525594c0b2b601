import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyFixture, type FixtureName } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { inPrivateWorld } from '../support/private-world.js';
import { type CommandResult, easyserveProgram, runEasyserve } from '../support/run-easyserve.js';

/** As a container's engine leaves it: mounts and processes of its own, and a root file system that may be read-only. */

const timeout = 120_000;
/** No user, no home, no word of the tests. */
const env = { EASYSERVE_USER: undefined, HOME: undefined };

const isContainer = 'mount -t tmpfs tmpfs /run; touch /run/.containerenv';
/** Every file system that is mounted, but /tmp where it is given one of its own. */
const isReadOnly = (hasTmp: boolean) => `
mount --make-rprivate /
${hasTmp ? 'mount -t tmpfs tmpfs /tmp' : ''}
while read -r _ place _; do
  case $place in /proc* | /dev* | /sys* ${hasTmp ? '| /tmp' : ''}) ;; *) mount -o remount,bind,ro "$place" || true ;; esac
done </proc/mounts 2>/dev/null`;

/** Starts, asks, looks at the log, and stops: in namespaces that end with it. */
const walkThrough = `
"$@" start "$dir" --daemon --host 127.0.0.1 --port 0 $processes
url=$("$@" status "$dir" --json | "$1" -p 'JSON.parse(fs.readFileSync(0)).urls[0]')
"$1" -e 'fetch(process.argv[1]).then(async (r) => console.log("answer", r.status, (await r.text()).slice(0, 20)))' "$url\${page-}"
"$@" logs "$dir" -n 1000
"$@" reload "$dir"
"$@" stop "$dir"`;

function inContainer(dir: string, lines: readonly string[], variables = ''): Promise<CommandResult> {
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const script = [`dir=${dir} processes= ${variables}`, ...lines].join('\n');
  return runEasyserve([], {
    cwd: '/',
    env,
    timeoutMs: timeout,
    program: [...namespaces, 'sh', '-ec', script, 'sh', ...easyserveProgram],
  });
}

/** Root's, and every folder above it: not in /tmp. */
function makeProject(t: TestContext, fixture: FixtureName): string {
  const base = mkdtempSync('/srv/easyserve-test-');
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const dir = copyFixture(fixture, join(base, 'site'));
  execFileSync('chown', ['-R', '0:0', dir]);
  return dir;
}

inPrivateWorld(import.meta.url, () => {
  forEachMode(['single', 'cluster'], (mode, testIn) => {
    const processes = `processes='--processes ${mode === 'single' ? 1 : 2}'`;

    testIn("in a container root serves root's folder, and a warning names the better way", async (t) => {
      const dir = makeProject(t, 'wsgi-hello');
      const { code, stdout, stderr } = await inContainer(dir, [isContainer, walkThrough], processes);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^answer 200 /m);
      assert.match(stdout, /"event":"root-in-container","hint":"a user of its own .*\/run\/\.containerenv/);
      assert.match(stdout, /"event":"reloaded"|Reloaded/i);
    });

    testIn('with a read-only root and /tmp it serves: pages, and what was collected before', async (t) => {
      const dir = makeProject(t, 'django-site');
      mkdirSync(join(dir, 'static-collected'));
      writeFileSync(join(dir, 'static-collected', 'site.css'), 'a { color: red }');
      const { code, stdout, stderr } = await inContainer(
        dir,
        [isContainer, isReadOnly(true), walkThrough],
        `${processes} page=static/site.css`,
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^answer 200 a \{ color: red \}$/m);
      assert.match(stdout, /STATIC_ROOT \S+ is on a read-only file system, so that nothing is collected/);
      // In a line of its own, before what only looks bad.
      assert.match(
        stdout,
        /"event":"finding","name":"not-writable".*The user root may not write the database .*EROFS/,
      );
    });
  });

  test('without a folder to write it is one sentence with the way out', { timeout }, async (t) => {
    const dir = makeProject(t, 'wsgi-hello');
    for (const more of ['', '--daemon']) {
      const start = `"$@" start "$dir" --port 0 ${more}`;
      const { code, stdout, stderr } = await inContainer(dir, [isContainer, isReadOnly(false), start]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.equal(
        stderr,
        'easyserve: Neither the project nor /tmp can be written, and easyserve needs one of them for its sockets.\n' +
          '  fix: mount -t tmpfs tmpfs /tmp, or in a container: docker run --tmpfs /tmp\n',
      );
    }
  });

  test("on a server root's folder is refused, with what to type", { timeout }, async (t) => {
    const dir = makeProject(t, 'wsgi-hello');
    for (const args of [
      ['start', '--port', '0'],
      ['start', '--daemon'],
      ['install', '--print'],
    ]) {
      const { code, stderr } = await runEasyserve(args, { cwd: dir, env });
      assert.equal(code, 3, stderr);
      assert.match(stderr, /belongs to root, and easyserve runs no application as root unless it is told to/);
      assert.match(stderr, new RegExp(`fix: easyserve adopt ${dir}, which makes a user for it`));
    }
  });
});
