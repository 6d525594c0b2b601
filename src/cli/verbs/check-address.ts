import type { Finding } from '../../check/finding.js';
import { describeError } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import { noBackpressure } from '../../log/backpressure.js';
import type { Log, LogFields } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ListeningSocket, WithRights } from '../../sockets/listening-socket.js';
import { bindMissing, removeAll } from '../../supervisor/reload/site-sockets.js';
import { type Observation, type ReportedFinding, toFinding } from '../text/finding.js';

interface AddressReport {
  readonly found: readonly Observation[];
  readonly findings: readonly ReportedFinding[];
}

/**
 * Whether `easyserve start` could listen; found out by binding, for a moment. What it would log about the choice of the
 * address becomes notes. `ownUrls` are those of the running instance, which holds its port by right.
 */
export async function checkAddress(
  settings: Settings,
  project: Project,
  ownUrls: readonly string[],
  withRights?: WithRights,
): Promise<AddressReport> {
  if (ownUrls.length > 0) {
    const text = `${ownUrls.join(', ')}, of the running instance`;
    return { found: [{ name: 'address', text }], findings: [] };
  }
  const findings: Finding[] = [];
  try {
    const sockets = await bindMissing(new Map(), { settings, project }, noteLog(findings), { withRights });
    removeAll(sockets.values());
    return { found: [...sockets.values()].map((socket) => describeSocket(socket, settings)), findings };
  } catch (error) {
    return { found: [], findings: [...findings, toFinding(describeError(error))] };
  }
}

// Private

function describeSocket({ scheme, host, port }: ListeningSocket, settings: Settings): Observation {
  const isAny = (scheme === 'https' ? settings.httpsPort : settings.port) === 0;
  const name = scheme === 'https' ? 'address of HTTPS' : 'address';
  const where = host === '::' ? 'every address (IPv4 and IPv6)' : host;
  return { name, text: `${where}, ${isAny ? 'any free port' : `port ${port}`}` };
}

/** Takes log records as notes. */
function noteLog(findings: Finding[]): Log {
  const note = (event: string, message: string, fields?: LogFields): void => {
    const fix = typeof fields?.hint === 'string' ? fields.hint : '';
    findings.push({ name: event, severity: 'note', message, fix });
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
