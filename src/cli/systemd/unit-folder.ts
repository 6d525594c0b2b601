import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { unitMark } from './service-unit.js';
import { unitValue } from './unit-text.js';

/** Where the administrator's own units stand (systemd.unit(5), "Unit File Load Path"). */
const UNIT_FOLDER = '/etc/systemd/system';
/** sd_booted(3): it is there while systemd runs the machine. */
const RUNNING = '/run/systemd/system';

export type UnitChange = 'created' | 'changed' | 'unchanged';

/** The units of this machine, and the systemd that runs them. Tests name other folders. */
export class UnitFolder {
  readonly path: string;
  readonly #runningMark: string;
  readonly #run: (args: readonly string[]) => { readonly status: number | null; readonly output: string };

  constructor(path = UNIT_FOLDER, runningMark = RUNNING, run = runSystemctl) {
    this.path = path;
    this.#runningMark = runningMark;
    this.#run = run;
  }

  get isSystemdRunning(): boolean {
    return existsSync(this.#runningMark);
  }

  /** 0 where it cannot be asked. */
  get systemdVersion(): number {
    return Number(/^systemd (\d+)/.exec(this.#run(['--version']).output)?.[1] ?? 0);
  }

  /** Of a service: itself, and its sockets. */
  unitsOf(name: string): readonly string[] {
    const sockets = existsSync(this.path)
      ? readdirSync(this.path).filter((unit) => unit.startsWith(`${name}-`) && /-https?\.socket$/.test(unit))
      : [];
    const own = sockets.filter((unit) => [`${name}-http.socket`, `${name}-https.socket`].includes(unit));
    return existsSync(join(this.path, `${name}.service`)) ? [`${name}.service`, ...own] : own;
  }

  /** Throws EasyserveError `unit-foreign` for a unit that install has not written, `install-not-permitted`. */
  write(unit: string, text: string): UnitChange {
    const before = this.#readOwn(unit);
    if (before === text) return 'unchanged';
    const path = join(this.path, unit);
    this.#permitted(() => {
      // In one step: systemd may read it at any moment.
      writeFileSync(`${path}.new`, text);
      chmodSync(`${path}.new`, 0o644);
      renameSync(`${path}.new`, path);
    });
    return before === undefined ? 'created' : 'changed';
  }

  /** Of the units that are the folder's; undefined: it has none. */
  nameOf(projectDir: string): string | undefined {
    const services = existsSync(this.path)
      ? readdirSync(this.path).filter((unit) => unit.endsWith('.service'))
      : [];
    const own = services.find((unit) => describes(this.#readText(unit), projectDir));
    return own?.replace(/\.service$/, '');
  }

  /**
   * A name that was given may be another site's, which must keep its service; and a folder has one instance, so a second service of it
   * would never start. Throws EasyserveError `unit-foreign` and `unit-other-name`.
   */
  requireOf(name: string, projectDir: string): void {
    const unit = this.unitsOf(name).find((each) => !describes(this.#readOwn(each) ?? '', projectDir));
    const installed = this.nameOf(projectDir) ?? name;
    if (unit === undefined && installed === name) return;
    if (unit === undefined) throw hasOtherName(installed);
    const owner = describedFolder(this.#readText(unit));
    throw new EasyserveError(
      'unit-foreign',
      ExitCode.usage,
      `${join(this.path, unit)} belongs to another folder: ${owner}.`,
      {
        hint: `another name: easyserve install --name ${name}-2; if that site is gone: sudo easyserve uninstall --name ${name}`,
      },
    );
  }

  /** The one that the service has, for an install that names none. */
  environmentFileOf(name: string): string | undefined {
    const [, path] = /^EnvironmentFile=(.+)$/m.exec(this.#readText(`${name}.service`)) ?? [];
    return path?.replaceAll('%%', '%');
  }

  /** Throws like write, and changes nothing. */
  requireOwn(unit: string): void {
    this.#readOwn(unit);
  }

  /** Throws like write. */
  remove(unit: string): void {
    this.#readOwn(unit);
    this.#permitted(() => rmSync(join(this.path, unit), { force: true }));
  }

  /** Throws EasyserveError `systemctl-failed` with what it said. */
  systemctl(...args: readonly string[]): void {
    const { status, output } = this.#run(args);
    if (status === 0) return;
    throw new EasyserveError('systemctl-failed', ExitCode.unexpected, `systemctl ${args.join(' ')} failed.`, {
      detail: output.trim() || undefined,
    });
  }

  // Private

  /** Empty where it is not ours, or cannot be read. */
  #readText(unit: string): string {
    try {
      const text = readFileSync(join(this.path, unit), 'utf8');
      return text.startsWith(unitMark) ? text : '';
    } catch {
      return ''; // a dangling link, as systemctl link leaves it
    }
  }

  #readOwn(unit: string): string | undefined {
    const path = join(this.path, unit);
    if (!existsSync(path)) return undefined;
    const text = this.#permitted(() => readFileSync(path, 'utf8'));
    if (text.startsWith(unitMark)) return text;
    throw new EasyserveError(
      'unit-foreign',
      ExitCode.usage,
      `${path} is there already, and was not written by easyserve.`,
      { hint: 'another name: easyserve install --name mysite' },
    );
  }

  #permitted<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const sentence = `${this.path} cannot be changed (${code}).`;
      throw new EasyserveError('install-not-permitted', ExitCode.unexpected, sentence, {
        hint: 'sudo easyserve install, or easyserve install --print to see the unit',
        cause,
      });
    }
  }
}

// Private

function hasOtherName(installed: string): EasyserveError {
  return new EasyserveError(
    'unit-other-name',
    ExitCode.usage,
    `This folder has a service already: ${installed}.service.`,
    {
      hint: `sudo easyserve uninstall --name ${installed}, and then the new name; or install without --name`,
    },
  );
}

/** Whether Description= of the unit names the folder, as service-unit and socket-unit write it. */
function describes(text: string, projectDir: string): boolean {
  return describedFolder(text) === unitValue(projectDir);
}

function describedFolder(text: string): string {
  const [, described = ''] = /^Description=easyserve: (?:https? of )?(.*)$/m.exec(text) ?? [];
  return described;
}

function runSystemctl(args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync('systemctl', args, {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, output: error === undefined ? `${stdout}${stderr}` : error.message };
}
