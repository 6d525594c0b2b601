import { describeError } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import { noBackpressure } from '../../log/backpressure.js';
import type { Log, LogFields } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ListeningSocket, WithRights } from '../../sockets/listening-socket.js';
import { bindMissing, closeAll } from '../../supervisor/reload/site-sockets.js';
import { type Finding, toProblem } from '../text/finding.js';

/**
 * Whether `easyserve start` could listen; found out by binding, for a moment. What it would log about the choice of the
 * address becomes notes. `ownUrls` are those of the running instance, which holds its port by right.
 */
export async function checkAddress(
  settings: Settings,
  project: Project,
  ownUrls: readonly string[],
  withRights?: WithRights,
): Promise<readonly Finding[]> {
  if (ownUrls.length > 0) {
    return [{ level: 'ok', text: `address: ${ownUrls.join(', ')}, of the running instance` }];
  }
  const findings: Finding[] = [];
  try {
    const sockets = await bindMissing(new Map(), { settings, project }, noteLog(findings), { withRights });
    closeAll(sockets.values());
    return [...findings, ...[...sockets.values()].map((socket) => describeSocket(socket, settings))];
  } catch (error) {
    return [...findings, toProblem(describeError(error))];
  }
}

function describeSocket({ scheme, host, port }: ListeningSocket, settings: Settings): Finding {
  const isAny = (scheme === 'https' ? settings.httpsPort : settings.port) === 0;
  const where = `${host}, ${isAny ? 'any free port' : `port ${port}`}`;
  return { level: 'ok', text: `address${scheme === 'https' ? ' of HTTPS' : ''}: ${where}` };
}

/** Takes log records as notes. */
function noteLog(findings: Finding[]): Log {
  const note = (_event: string, message: string, fields?: LogFields): void => {
    const fix = typeof fields?.hint === 'string' ? fields.hint : undefined;
    findings.push({ level: 'note', text: message, fix });
  };
  const log: Log = {
    debug() {},
    access() {},
    application() {},
    info: note,
    warn: note,
    error: note,
    backpressureOf: () => noBackpressure,
    child: () => log,
  };
  return log;
}
