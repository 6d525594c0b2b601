import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createTempDir } from './copy-fixture.js';
import { eventually } from './eventually.js';
import { killProcess } from './processes.js';
import { testVirtualEnv } from './python-env.js';
import { repositoryRoot } from './repository.js';

export interface Ran {
  readonly code: number | null;
  /** stdout and stderr. */
  readonly output: string;
}

/** Where the machine has the checkout, and Django. */
const programFolder = '/opt/easyserve';
const pythonFolder = '/opt/python';
const environment = ['-i', 'PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin', 'LANG=C.UTF-8'];
const bootWithinMs = 120_000;

/** Undefined: a machine can be booted here; else why not. */
export function whyNoMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'not run: systemd-nspawn needs root';
  const { status, stderr } = spawnSync(join(repositoryRoot, 'scripts', 'systemd-machine'), {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `not run: no system to boot: ${stderr.trim()}`;
}

/**
 * A Debian with a systemd of its own (systemd-nspawn(1)), a network where every port is free, the user `shop`, and `easyserve` in PATH.
 * What it writes is kept in memory, over reboots too.
 */
export class Machine {
  readonly #base: string;
  #leader = 0;
  #nspawn: ReturnType<typeof spawn> | undefined;
  #console = '';

  private constructor(base: string) {
    this.#base = base;
  }

  static async boot(t: TestContext): Promise<Machine> {
    const lower = execFileSync(join(repositoryRoot, 'scripts', 'systemd-machine'), {
      encoding: 'utf8',
    }).trim();
    const base = createTempDir();
    const machine = new Machine(base);
    t.after(() => machine.remove());
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1g', 'tmpfs', base]);
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(base, name));
    const layers = `lowerdir=${lower},upperdir=${join(base, 'upper')},workdir=${join(base, 'work')}`;
    execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', machine.path('/')]);
    await machine.start();
    machine.sh(
      'useradd --create-home --home-dir /home/shop --shell /bin/sh shop',
      `printf '#!/bin/sh\\nexec node ${programFolder}/bin/easyserve.js "$@"\\n' >/usr/local/bin/easyserve`,
      'chmod 755 /usr/local/bin/easyserve',
    );
    return machine;
  }

  /** A path of the machine, from outside. */
  path(inside: string): string {
    return join(this.#base, 'root', inside);
  }

  /** Turns it on, and waits until systemd has started everything. */
  async start(): Promise<void> {
    const packages = this.#pythonPackages();
    const nspawn = spawn(
      'systemd-nspawn',
      [
        ...['--boot', '--register=no', '--keep-unit', '--private-network', '--console=pipe', '--quiet'],
        `--directory=${this.path('/')}`,
        `--machine=easyserve-test-${process.pid}`,
        `--bind-ro=${repositoryRoot}:${programFolder}`,
        `--bind-ro=${realpathSync(process.execPath)}:/usr/local/bin/node`,
        `--bind-ro=${packages}:${pythonFolder}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#nspawn = nspawn;
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#console = `${this.#console}${text}`.slice(-8000);
      });
    }
    await eventually(() => this.#requireRunning(), { timeoutMs: bootWithinMs, intervalMs: 200 });
  }

  /** Turns it off in order, as `systemctl poweroff` does. */
  async stop(): Promise<void> {
    const nspawn = this.#nspawn;
    if (nspawn === undefined || nspawn.exitCode !== null) return;
    const ended = once(nspawn, 'exit');
    this.run('systemctl', 'poweroff');
    await ended;
    this.#nspawn = undefined;
  }

  /** Runs a command as root in it. */
  run(...command: readonly string[]): Ran {
    const { status, stdout, stderr } = spawnSync(
      'nsenter',
      [
        `--target=${this.#leader}`,
        '--all',
        'env',
        ...environment,
        'sh',
        '-c',
        'cd / && exec "$@"',
        'sh',
        ...command,
      ],
      { encoding: 'utf8', timeout: 120_000 },
    );
    return { code: status, output: `${stdout}${stderr}` };
  }

  /** Lines of shell, of which each has to succeed. Returns what they printed. */
  sh(...lines: readonly string[]): string {
    const { code, output } = this.run('sh', '-ec', lines.join('\n'));
    if (code !== 0) throw new Error(`${lines.join('; ')}\nended with ${code}\n${output}`);
    return output;
  }

  /** What is answered to a GET; throws for everything but success. */
  fetch(url: string): string {
    const program = 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end="")';
    return this.sh(`timeout 60 python3 -c '${program}' '${url}'`);
  }

  /** A process of ours in its network: what is run there sees its ports, and our files. */
  inNetwork(command: readonly string[]): readonly string[] {
    return ['nsenter', `--target=${this.#leader}`, '--net', ...command];
  }

  /** An environment with Django, which `easyserve` finds in the folder. */
  makeEnvironment(folder: string): void {
    this.sh(
      `python3 -m venv --without-pip ${folder}/.venv`,
      `echo ${pythonFolder} >$(echo ${folder}/.venv/lib/python3*/site-packages)/packages.pth`,
    );
  }

  remove(): void {
    if (this.#nspawn?.pid !== undefined && this.#nspawn.exitCode === null) {
      if (this.#leader > 0) killProcess(this.#leader, 'SIGKILL');
      killProcess(this.#nspawn.pid, 'SIGKILL');
    }
    for (const path of [this.path('/'), this.#base]) spawnSync('umount', ['--lazy', path]);
    rmSync(this.#base, { recursive: true, force: true });
  }

  // Private

  #requireRunning(): void {
    const pid = this.#nspawn?.pid ?? 0;
    const [leader] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    if (leader === undefined || leader === 0) throw new Error(`nothing was booted\n${this.#console}`);
    this.#leader = leader;
    const { output } = this.run('systemctl', 'is-system-running');
    if (!/^(running|degraded)$/m.test(output)) throw new Error(`it is ${output}\n${this.#console}`);
  }

  #pythonPackages(): string {
    const lib = join(testVirtualEnv(), 'lib');
    const [version = ''] = readdirSync(lib).filter((name) => name.startsWith('python3'));
    return join(dirname(lib), 'lib', version, 'site-packages');
  }
}
