import { chownSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { readFileBytes } from '../../contracts/read-file.js';
import type { Privileges } from '../../privileges/privileges.js';
import { findForeignEntry } from '../../settings/path-entries.js';

export type Variables = Readonly<Record<string, string>>;

/**
 * The file of EnvironmentFile= (systemd.exec(5)), for what everybody could read in a unit. systemd leaves out lines that it does not
 * understand, so one of those is an error here.
 */
export class EnvironmentFile {
  readonly path: string;
  /** Undefined: it is not there yet. */
  readonly variables: Variables | undefined;

  private constructor(path: string, variables: Variables | undefined) {
    this.path = path;
    this.variables = variables;
  }

  /** Throws EasyserveError `environment-file`. */
  static read(path: string): EnvironmentFile {
    try {
      if ((statSync(path).mode & 0o007) !== 0) {
        throw broken(`${path} can be read by every user of this machine.`, `chmod 600 ${path}`);
      }
      return new EnvironmentFile(path, parseVariables(readFileBytes(path).toString('utf8'), path));
    } catch (error) {
      if (error instanceof EasyserveError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return new EnvironmentFile(path, undefined);
      throw broken(`${path} cannot be read (${code}).`, 'sudo easyserve install');
    }
  }

  /** Node 20 takes `--env-file` for its own wherever it stands, so a file that is to be made needs another option. Throws like read. */
  requireThere(): void {
    if (this.variables !== undefined) return;
    throw broken(`There is no ${this.path}.`, `--save-env ${this.path} makes it`);
  }

  /** Where it is missing: with these variables, readable by the user of the service alone. Throws like read. */
  make(
    names: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    privileges: Privileges,
  ): void {
    if (this.variables !== undefined) return;
    const { path } = this;
    const lines = names.map((name) => `${name}="${(env[name] ?? '').replace(/[\\"`$]/g, '\\$&')}"\n`);
    const write = () => writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' });
    try {
      write();
    } catch (cause) {
      const { account, areKept } = privileges;
      const { code } = cause as NodeJS.ErrnoException;
      if (
        account === undefined ||
        !areKept ||
        privileges.raised(() => findForeignEntry(dirname(path))) !== undefined
      ) {
        throw broken(`${path} cannot be made (${code}).`, 'another place: --env-file /etc/shop.env');
      }
      privileges.raised(() => {
        write();
        chownSync(path, account.uid, account.gid);
      });
    }
  }
}

/** Names alone, of a file in any of the forms that projects have. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/gm)].map(([, name = '']) => name);
}

// Private

/** A name, and a value that is quoted, over several lines perhaps, or ends with its line. */
const assignment = /^[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t]*("(?:[^"\\]|\\[\s\S])*"|'[^']*'|.*)[ \t]*$/m;

function parseVariables(text: string, path: string): Variables {
  const found: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [line = ''] = rest.split('\n', 1);
    const isNothing = /^[ \t]*(?:[#;].*)?\r?$/.test(line);
    const match = isNothing ? null : assignment.exec(rest);
    if (!isNothing && match?.index !== 0) {
      const what = /^\s*export\s/.test(line) ? 'Without "export" it does.' : '';
      const number = text.slice(0, text.length - rest.length).split('\n').length;
      throw broken(`systemd does not understand line ${number} of ${path}. ${what}`.trim(), `edit ${path}`);
    }
    const [whole = line, name = '', value = ''] = match ?? [];
    if (match !== null) found[name] = unquote(value);
    rest = rest.slice(whole.length).replace(/^\n/, '');
  }
  return found;
}

function unquote(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1);
  if (value.startsWith('"')) return value.slice(1, -1).replace(/\\([\\"`$])/g, '$1');
  return value.trim();
}

function broken(message: string, hint: string): EasyserveError {
  return new EasyserveError('environment-file', ExitCode.usage, message, { hint });
}
