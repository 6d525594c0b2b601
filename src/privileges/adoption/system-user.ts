import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { orElse } from '../../contracts/or-else.js';
import { siteName } from '../../project/site-name.js';

/** An entry of the system's users. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The field for a full name (passwd(5)); ours says for which folder the user was made. */
  readonly comment: string;
}

/** useradd(8) takes no longer ones. */
const longestName = 32;

/** `easyserve-shop` for /srv/shop and /srv/shop/current. */
export function userNameFor(projectDir: string): string {
  const slug = siteName(projectDir)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `easyserve-${slug || 'site'}`.slice(0, longestName).replace(/-$/, '');
}

/** By getent(1), which knows every source of users. Throws EasyserveError `user-unknown` where it does not answer. */
export function findSystemUser(name: string): SystemUser | undefined {
  const { code, stdout, stderr } = run('getent', ['passwd', name]);
  if (code === null) {
    const sentence = `getent does not say whether there is a user ${name}.`;
    throw new EasyserveError('user-unknown', ExitCode.settings, sentence, { detail: stderr });
  }
  if (code !== 0) return undefined;
  const [found = '', , uid, gid, comment = '', home = '/'] = stdout.trim().split(':');
  return { name: found, uid: Number(uid), gid: Number(gid), comment, home };
}

/** Without a password, a shell and a home folder. Throws EasyserveError `user-not-made`. */
export function makeSystemUser(name: string, comment: string): SystemUser {
  const home = `/var/lib/${name}`;
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  const { code, stderr } = run('useradd', [...options, '--home-dir', home, '--comment', comment, name]);
  const user = findSystemUser(name);
  if (code === 0 && user !== undefined) return user;
  throw new EasyserveError('user-not-made', ExitCode.unexpected, `useradd could not make the user ${name}.`, {
    detail: stderr.trim() || undefined,
    hint: 'name a user that is there: easyserve adopt --user www-data',
  });
}

/** With its group. Throws EasyserveError `user-not-removed`. */
export function removeSystemUser(name: string): void {
  if (findSystemUser(name) === undefined) return;
  const { code, stderr } = run('userdel', [name]);
  if (code === 0) return;
  throw new EasyserveError(
    'user-not-removed',
    ExitCode.unexpected,
    `userdel could not remove the user ${name}.`,
    {
      detail: stderr.trim() || undefined,
      hint: `userdel ${name}, and then easyserve disown again`,
    },
  );
}

/** `4711 (node)` for each process of a user. */
export function listProcessesOf(uid: number): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => uidOf(pid) === uid)
    .filter((pid) => !/^State:\s*[ZX]/m.test(orElse('', () => readFileSync(`/proc/${pid}/status`, 'utf8'))))
    .map((pid) => `${pid} (${orElse('?', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim())})`);
}

// Private

/** A server may be asked for users (nsswitch.conf(5)), and useradd(8) waits for who else changes them. */
const timeout = 30_000;

/** Without a code where it cannot be run, or did not end in time. */
function run(
  command: string,
  args: readonly string[],
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout });
  return { code: status, stdout: stdout ?? '', stderr: error?.message ?? stderr };
}

/** Effective; the owner of /proc/PID is root where a process has changed its user (proc(5)). */
function uidOf(pid: string): number {
  const status = orElse('', () => readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? -1);
}
