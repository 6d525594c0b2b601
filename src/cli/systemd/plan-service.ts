import { realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { djangoFactsOf, interpreterOf, type Project } from '../../contracts/project-facts.js';
import { defaultPorts } from '../../contracts/scheme.js';
import { writtenFolders } from '../../project/written-folders.js';
import type { SettingFlag } from '../../settings/flag-layer.js';
import { type Settings, wantsHttps } from '../../settings/settings.js';
import { unixPrefix } from '../../sockets/listening-socket.js';
import { settingArgument } from '../command.js';
import { findReleaseLink } from './release-link.js';
import type { ServicePlan } from './service-unit.js';
import type { SocketPlan } from './socket-unit.js';

/** What install found out. */
export interface ServiceFacts {
  readonly name: string;
  /** As the person named it: a link like `current` stays one. */
  readonly projectDir: string;
  readonly project: Project;
  readonly settings: Settings;
  readonly user: string;
  readonly stateFolder: string;
  /** Absolute: what --writable names. */
  readonly writable: readonly string[];
  readonly configFile: string | undefined;
  readonly flags: readonly SettingFlag[];
  /** Node.js, its arguments, and the program. */
  readonly program: readonly string[];
  readonly hasSockets: boolean;
  readonly systemdVersion: number;
  /** Absolute. */
  readonly environmentFile: string | undefined;
  /** What DJANGO_SETTINGS_MODULE says here and not at boot. */
  readonly settingsModule: string | undefined;
}

export interface UnitPlans {
  readonly service: ServicePlan;
  readonly sockets: ReadonlyMap<string, SocketPlan>;
}

/** What the units of a project are to say. Only looks at what it is given, and follows links. */
export function planUnits(facts: ServiceFacts): UnitPlans {
  const { name, projectDir, project, settings, program } = facts;
  const sockets = facts.hasSockets ? planSockets(facts) : new Map<string, SocketPlan>();
  const link = findReleaseLink(projectDir);
  const certificates = settings.acmeFolder === null ? [] : [settings.acmeFolder];
  const ofSocket = socketFolder(settings, facts.hasSockets);
  const [, runtimeFolder] = runFolder.exec(ofSocket ?? '') ?? [];
  const places = [
    ...(ofSocket === undefined || runtimeFolder !== undefined ? [] : [ofSocket]),
    facts.stateFolder,
    ...certificates,
    ...writtenFolders(project, settings),
    ...facts.writable,
  ];
  const writable = withoutNested(places.map((place) => link?.lastingFolder(place) ?? place));
  const python = interpreterOf(project)?.path ?? project.root;
  const needed = [projectDir, project.root, python, ...program, ...writable];
  const service: ServicePlan = {
    name,
    projectDir,
    user: facts.user,
    group: settings.group ?? undefined,
    environmentFile: facts.environmentFile,
    program: program.map((part) => link?.lastingPath(part) ?? part),
    startArgs: startArguments(facts).map((part) => link?.lastingArgument(part) ?? part),
    writable,
    needsHome: needed.some(isInHome),
    stopTimeoutMs: settings.drainTimeoutMs + settings.killTimeoutMs,
    socketUnits: [...sockets.keys()],
    runtimeFolder,
    isBackingOff: facts.systemdVersion >= firstWithSteps,
  };
  return { service, sockets };
}

/** Which ports it listens on. */
export function portsOf(settings: Settings): readonly number[] {
  return settings.host?.startsWith(unixPrefix) ? [] : [...portsByRole(settings).values()];
}

// Private

function portsByRole(settings: Settings): ReadonlyMap<SocketPlan['role'], number> {
  const ports = new Map<SocketPlan['role'], number>([['http', settings.port ?? defaultPorts.http]]);
  if (wantsHttps(settings)) ports.set('https', settings.httpsPort ?? defaultPorts.https);
  return ports;
}

/** Of a service that makes a Unix socket by itself. */
function socketFolder({ host }: Settings, hasSockets: boolean): string | undefined {
  return host?.startsWith(unixPrefix) && !hasSockets ? dirname(host.slice(unixPrefix.length)) : undefined;
}

/** /run is empty at each boot, so systemd makes what is below (systemd.exec(5), "RuntimeDirectory="). */
const runFolder = /^\/(?:var\/)?run\/(?!\.)(.+)$/;

/** RestartSteps= came with it (its NEWS). */
const firstWithSteps = 254;

/** By the names of their units. */
function planSockets({ name, projectDir, project, settings, user }: ServiceFacts): Map<string, SocketPlan> {
  const host = settings.host ?? (djangoFactsOf(project)?.isDebug ? '127.0.0.1' : null);
  const service = `${name}.service`;
  const rights = { mode: settings.socketMode, group: settings.socketGroup ?? settings.group, user };
  return new Map(
    [...portsByRole(settings)].map(([role, port]) => [
      `${name}-${role}.socket`,
      { projectDir, service, role, host, port, rights },
    ]),
  );
}

function withoutNested(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths.map((path) => resolve(path)))];
  return all
    .filter((path) => !all.some((other) => other !== path && path.startsWith(`${other}${sep}`)))
    .sort();
}

/** The service finds these interpreters again without the environment of this shell. */
const lastingSources: readonly string[] = ['.venv', 'venv', 'env', 'setting'];

function startArguments({ configFile, flags, project, settingsModule }: ServiceFacts): readonly string[] {
  // User= and Group= of the unit say these.
  const given = flags.filter(({ key }) => key !== 'user' && key !== 'group').map(settingArgument);
  const found = interpreterOf(project);
  const isLasting = found === undefined || lastingSources.includes(found.source);
  const python = isLasting ? [] : [`--set=python=${found.path}`];
  const module = settingsModule === undefined ? [] : [`--set=settingsModule=${settingsModule}`];
  return [...given, ...module, ...python, ...(configFile === undefined ? [] : [`--config=${configFile}`])];
}

/** What ProtectHome= hides. */
function isInHome(path: string): boolean {
  return [path, follow(path)].some((each) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(each));
}

function follow(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there yet
  }
}
