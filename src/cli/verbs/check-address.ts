import { describeError } from '../../contracts/errors.js';
import type { Project } from '../../contracts/project-facts.js';
import { type Backpressure, noBackpressure } from '../../log/backpressure.js';
import type { Log, LogFields } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ListeningSocket } from '../../sockets/listening-socket.js';
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
): Promise<readonly Finding[]> {
  if (ownUrls.length > 0) {
    return [{ level: 'ok', text: `address: ${ownUrls.join(', ')}, of the running instance` }];
  }
  const notes = new NoteLog();
  try {
    const sockets = await bindMissing(new Map(), { settings, project }, notes);
    closeAll(sockets.values());
    return [...notes.findings, ...[...sockets.values()].map((socket) => describeSocket(socket, settings))];
  } catch (error) {
    return [...notes.findings, toProblem(describeError(error))];
  }
}

function describeSocket({ scheme, host, port }: ListeningSocket, settings: Settings): Finding {
  const isAny = (scheme === 'https' ? settings.httpsPort : settings.port) === 0;
  const where = `${host}, ${isAny ? 'any free port' : `port ${port}`}`;
  return { level: 'ok', text: `address${scheme === 'https' ? ' of HTTPS' : ''}: ${where}` };
}

/** Takes log records as notes. */
class NoteLog implements Log {
  readonly findings: Finding[] = [];

  debug(): void {}
  access(): void {}
  application(): void {}

  info(_event: string, message: string, fields?: LogFields): void {
    const fix = typeof fields?.hint === 'string' ? fields.hint : undefined;
    this.findings.push({ level: 'note', text: message, fix });
  }

  warn(event: string, message: string, fields?: LogFields): void {
    this.info(event, message, fields);
  }

  error(event: string, message: string, fields?: LogFields): void {
    this.info(event, message, fields);
  }

  backpressureOf(): Backpressure {
    return noBackpressure;
  }

  child(): Log {
    return this;
  }
}
