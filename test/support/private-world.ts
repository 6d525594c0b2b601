import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testPython } from './python-env.js';
import { repositoryRoot } from './repository.js';

/** Says that this is the run inside. Not EASYSERVE_…: those are settings. */
const insideVariable = 'TEST_PRIVATE_WORLD';

/** A user that only the private world has, member of `shop` and `media`; his home is not made. */
export const shop = { name: 'shop', uid: 64_321, gid: 64_321, media: 64_322, home: '/home/shop' } as const;

/**
 * Runs the tests of one file as root in namespaces of their own (unshare(1)): a network where the ports 80 and 443 are free
 * and reach nobody, and mounts by which there is a user `shop`, who can read Node, Python and the repository wherever they
 * are. Nothing outside is changed.
 *
 *   inPrivateWorld(import.meta.url, () => { forEachMode(…) });
 *
 * With `hasOwnUsers` the tests may make users, and /srv and /var/lib are empty. It needs root, as CI and containers are; for anybody else the test fails and says so.
 */
export function inPrivateWorld(
  fileUrl: string,
  register: () => void,
  { hasOwnUsers = false }: { hasOwnUsers?: boolean } = {},
): void {
  if (process.env[insideVariable] !== undefined) {
    register();
    return;
  }
  test('in namespaces of its own', { timeout: 300_000 }, async () => {
    if (process.getuid?.() !== 0) throw new Error('these tests have to run as root: sudo scripts/test root');
    const program = [process.execPath, '--enable-source-maps', '--test', fileURLToPath(fileUrl)];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      'unshare',
      ['--net', '--mount', 'sh', '-ec', `${arrangement(hasOwnUsers)}\nexec "$@"`, 'sh', ...program],
      {
        env: { ...env, [insideVariable]: '1', EASYSERVE_TEST_PYTHON: testPython() },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`the tests inside failed\n${said}`);
  });
}

/** The command, run as the user with his groups, and with these capabilities of root's and no other. */
export function asShop(command: readonly string[], capabilities = ''): readonly string[] {
  const ids = [`--reuid=${shop.uid}`, `--regid=${shop.gid}`, '--init-groups'];
  const granted = capabilities === '' ? [] : [`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`];
  return ['setpriv', ...ids, ...granted, ...command];
}

export function giveToShop(path: string): void {
  execFileSync('chown', ['-Rh', `${shop.uid}:${shop.gid}`, path]);
}

/** Lines of shell: useradd(8) replaces its files, and a file that is mounted can't be replaced. */
const ownUsers = `
etc=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$etc"
cp -a /etc/. "$etc"
mount --move "$etc" /etc
rmdir "$etc"
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /srv`;

/** Lines of shell. */
function arrangement(hasOwnUsers: boolean): string {
  const extend = hasOwnUsers ? append : overlay;
  return [
    'ip link set lo up',
    ...(hasOwnUsers ? [ownUsers] : []),
    ...[...hiddenFolders()].flatMap(([hidden, kept]) => reveal(hidden, kept)),
    ...extend('/etc/passwd', `${shop.name}:x:${shop.uid}:${shop.gid}::${shop.home}:/bin/sh`),
    ...extend('/etc/group', `${shop.name}:x:${shop.gid}:`, `media:x:${shop.media}:${shop.name}`),
  ].join('\n');
}

function append(path: string, ...lines: readonly string[]): string[] {
  return lines.map((line) => `echo '${line}' >>${path}`);
}

/** The file with more lines, laid over the real one. */
function overlay(path: string, ...lines: readonly string[]): string[] {
  return [
    'copy=$(mktemp)',
    `{ cat ${path}; printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}; } >"$copy"`,
    'chmod 644 "$copy"',
    `mount --bind "$copy" ${path}`,
    'rm "$copy"',
  ];
}

/** Folders that only their owner may enter -> what has to be seen below them. */
function hiddenFolders(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const needed = [
    dirname(dirname(realpathSync(testPython()))),
    dirname(realpathSync(process.execPath)),
    repositoryRoot,
  ];
  for (const path of new Set(needed)) {
    const parts = path.split(sep);
    const ancestors = parts.map((_, index) => parts.slice(0, index + 1).join(sep) || sep);
    const hidden = ancestors.find((folder) => (statSync(folder).mode & 0o001) === 0);
    if (hidden !== undefined) found.set(hidden, [...(found.get(hidden) ?? []), path]);
  }
  return found;
}

/** An empty folder that everybody may enter in the place of the hidden one, and in it only what is needed. */
function reveal(hidden: string, kept: readonly string[]): string[] {
  const lines = ['held=$(mktemp -d)'];
  for (const [index, path] of kept.entries()) {
    lines.push(`mkdir "$held/${index}"`, `mount --bind '${path}' "$held/${index}"`);
  }
  lines.push(`mount -t tmpfs -o mode=755 tmpfs '${hidden}'`);
  for (const [index, path] of kept.entries()) {
    lines.push(`mkdir -p '${path}'`, `mount --bind "$held/${index}" '${path}'`, `umount "$held/${index}"`);
  }
  return lines;
}
