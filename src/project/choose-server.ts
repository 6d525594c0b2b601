import { ApplicationError, SettingsError } from '../contracts/errors.js';
import { type AsgiServerName, asgiServers, type PythonProject } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { askAboutCheroot, type PythonQuestion } from './ask-python.js';
import { checkCherootKeywords, warnOfTimeout } from './cheroot-keywords.js';
import { describeInstall } from './install-command.js';

export type Interface = 'wsgi' | 'asgi';
export type ServerSettings = Pick<Settings, 'server' | 'interface' | 'cheroot' | 'transport'>;

/** What the inspection found that matters for the choice. */
export interface ServerFacts {
  readonly interface: Interface;
  /** Of the packages that easyserve looks for. */
  readonly installed: readonly string[];
}

export interface ChosenServer {
  readonly server: PythonProject['server'];
  readonly warnings: readonly string[];
}

/** By which interface the settings want the application to be called (undefined: either), and which of them says so. */
export interface InterfacePreference {
  readonly interface: Interface | undefined;
  readonly chosenBy: 'server' | 'interface';
}

/** Throws SettingsError when `server` and `interface` contradict each other. */
export function readInterfacePreference({ server, interface: named }: ServerSettings): InterfacePreference {
  const implied = interfaceOf(server);
  if (implied === undefined)
    return { interface: named === 'auto' ? undefined : named, chosenBy: 'interface' };
  if (named !== 'auto' && named !== implied) {
    throw new SettingsError(
      'conflicting-settings',
      `server = "${server}" serves ${implied.toUpperCase()}, and interface is "${named}"`,
      { hint: 'set one of both to "auto"' },
    );
  }
  return { interface: implied, chosenBy: 'server' };
}

/**
 * Which server runs a Python application: the one that is named, else the gateway for WSGI, Cheroot where it is configured,
 * and for ASGI the first that is installed.
 *
 * Throws ApplicationError `server-missing`, `no-asgi-server` and `server-needs-unix-sockets`, and
 * SettingsError for keywords that Cheroot does not take.
 */
export async function chooseServer(
  settings: ServerSettings,
  facts: ServerFacts,
  question: PythonQuestion,
): Promise<ChosenServer> {
  if (facts.interface === 'asgi') return chooseAsgi(settings, facts, question);
  if (settings.server !== 'cheroot' && !(settings.server === 'auto' && isConfigured(settings.cheroot))) {
    return { server: 'gateway', warnings: [] };
  }
  await requireInstalled('cheroot', settings, facts, question);
  checkCherootKeywords(settings.cheroot, await askAboutCheroot(question));
  return { server: 'cheroot', warnings: warnOfTimeout(settings.cheroot) };
}

// Private

function interfaceOf(server: Settings['server']): Interface | undefined {
  if (server === 'gateway' || server === 'cheroot') return 'wsgi';
  return isAsgiServer(server) ? 'asgi' : undefined;
}

function isAsgiServer(server: string): server is AsgiServerName {
  return asgiServers.some((name) => name === server);
}

function isConfigured(cheroot: Settings['cheroot']): boolean {
  return Object.keys(cheroot).length > 0;
}

async function chooseAsgi(
  settings: ServerSettings,
  facts: ServerFacts,
  question: PythonQuestion,
): Promise<ChosenServer> {
  const named = isAsgiServer(settings.server) ? settings.server : undefined;
  const server = named ?? asgiServers.find((name) => facts.installed.includes(name));
  if (server === undefined) throw noAsgiServer(question);
  await requireInstalled(server, settings, facts, question);
  return { server, warnings: [...warnOfWebSockets(server, facts, question), ...warnOfCheroot(settings)] };
}

async function requireInstalled(
  name: 'cheroot' | AsgiServerName,
  { transport }: ServerSettings,
  { installed }: ServerFacts,
  question: PythonQuestion,
): Promise<void> {
  if (!installed.includes(name)) {
    const { path, source } = question.python;
    const isOld = installed.includes(`old ${name}`);
    throw new ApplicationError(
      'server-missing',
      `The server ${name} is ${isOld ? 'too old for easyserve' : 'not installed'}. The interpreter is ${path} (from ${source}).`,
      {
        hint: describeInstall(question, isOld ? `--upgrade ${name}` : name),
        detail: name === 'cheroot' ? 'The gateway needs no package: server = "gateway"' : undefined,
      },
    );
  }
  if (transport === 'tcp' || process.platform === 'win32') {
    throw new ApplicationError(
      'server-needs-unix-sockets',
      `easyserve reaches ${name} over Unix sockets only; over TCP just its own gateway.`,
      { hint: transport === 'tcp' ? 'easyserve start --set transport=auto' : undefined },
    );
  }
}

function noAsgiServer(question: PythonQuestion): ApplicationError {
  const { path, source } = question.python;
  return new ApplicationError(
    'no-asgi-server',
    `This is an ASGI application, and none of ${asgiServers.join(', ')} is installed. The interpreter is ${path} (from ${source}).`,
    { hint: describeInstall(question, "'uvicorn[standard]'") },
  );
}

/** A project with Channels usually has WebSockets, which uvicorn alone refuses (www.uvicorn.org, "Installation"). */
function warnOfWebSockets(
  server: AsgiServerName,
  { installed }: ServerFacts,
  { python }: PythonQuestion,
): readonly string[] {
  const has = (name: string): boolean => installed.includes(name);
  if (server !== 'uvicorn' || !has('channels') || has('websockets') || has('wsproto')) return [];
  return [`uvicorn has no WebSockets without a package for them: ${python.path} -m pip install websockets`];
}

function warnOfCheroot({ cheroot }: ServerSettings): readonly string[] {
  if (!isConfigured(cheroot)) return [];
  return [
    'The cheroot setting has no effect, because this is an ASGI application. To serve WSGI: easyserve start --set server=cheroot',
  ];
}
