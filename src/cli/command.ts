import type { SettingFlag } from '../settings/flag-layer.js';

/** What a command line asks for: cli/program reads it, cli/run-command carries it out. */
export type Command =
  | StartCommand
  | PlainCommand<'stop'>
  | PlainCommand<'reload'>
  | PlainCommand<'restart'>
  | StatusCommand
  | ScaleCommand
  | LogsCommand
  | ConfigCommand
  | CheckCommand
  | InstallCommand
  | UninstallCommand
  | AdoptCommand
  | PlainCommand<'disown'>
  | PrintCommand;

/** Which project is meant, as it was typed; projectFolder makes a path of it. */
export interface ProjectArgument {
  /** `-C`: as if the command had been typed there. */
  readonly base: string | undefined;
  readonly dir: string | undefined;
}

/** Settings from the command line. */
export interface GivenSettings {
  /** `--config`, as typed. */
  readonly configFile: string | undefined;
  /** In the order in which they were typed. */
  readonly flags: readonly SettingFlag[];
}

export interface PlainCommand<V extends string> {
  readonly verb: V;
  readonly project: ProjectArgument;
}

export interface StartCommand extends PlainCommand<'start'>, GivenSettings {
  readonly isDaemon: boolean;
  /** Hidden: the descriptor on which the daemon tells `start --daemon` that it is ready. */
  readonly readyFd: number | undefined;
}

export interface StatusCommand extends PlainCommand<'status'> {
  readonly asJson: boolean;
}

export interface ScaleCommand extends PlainCommand<'scale'> {
  readonly processes: number;
}

export interface LogsCommand extends PlainCommand<'logs'> {
  readonly follow: boolean;
  readonly lines: number;
}

export interface ConfigCommand extends PlainCommand<'config'>, GivenSettings {
  readonly asJson: boolean;
}

export interface CheckCommand extends PlainCommand<'check'>, GivenSettings {
  readonly asJson: boolean;
  /** Names of findings, beside those of the setting silencedFindings. */
  readonly silenced: readonly string[];
  /** Warnings count like errors. */
  readonly isStrict: boolean;
}

export interface InstallCommand extends PlainCommand<'install'>, GivenSettings {
  /** Of the unit; undefined: by the folder. */
  readonly name: string | undefined;
  /** systemd binds the ports. */
  readonly hasSockets: boolean;
  /** Folders, as typed, that the application writes to. */
  readonly writable: readonly string[];
  /** As typed: a file with variables for the service. */
  readonly envFile: string | undefined;
  /** It is made where it is missing. */
  readonly isEnvSaved: boolean;
  /** Variables that the service will not have are accepted. */
  readonly isWithoutEnv: boolean;
  /** The units are printed instead of written. */
  readonly isPrinted: boolean;
}

export interface UninstallCommand extends PlainCommand<'uninstall'> {
  readonly name: string | undefined;
}

export interface AdoptCommand extends PlainCommand<'adopt'>, GivenSettings {
  /** Undefined: one of its own is made. */
  readonly user: string | undefined;
  /** Folders, as typed, that the application writes to. */
  readonly writable: readonly string[];
}

/** --help, --version, and no verb at all. */
export interface PrintCommand {
  readonly verb: 'print';
  readonly text: string;
  readonly to: 'stdout' | 'stderr';
  readonly exitCode: number;
}

/**
 * A setting of the command line, as it was typed, for another easyserve that is started with it: so `easyserve config`
 * names the same origin.
 */
export function settingArgument({ key, value, flag }: SettingFlag): string {
  return flag.startsWith('--set ') ? `--set=${key}=${value}` : `${flag}=${value}`;
}
