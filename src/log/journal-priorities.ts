import type { LogLevel } from './log.js';

/** Numbers of syslog(3), as sd-daemon(3) has them before a line. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
const levelInJson = /^\{"level":"(error|warn|info|debug)"/;
/** Colour codes stand around the words on a terminal only, and that is no journal. */
const levelInPretty = /^\d\d:\d\d:\d\d {2}(error|warn|info|debug) /;

/**
 * Gives each line for the journal its priority, so that `journalctl -p err` shows what went wrong. journald takes it off again.
 *
 * What is set in belongs to the line above it: the reason and the fix.
 */
export class JournalPriorities {
  #last: LogLevel = 'info';

  /** Any number of whole lines. */
  prefix(lines: string): string {
    return lines.replace(/^.+$/gm, (line) => {
      this.#last = this.#levelOf(line);
      return `<${priorities[this.#last]}>${line}`;
    });
  }

  #levelOf(line: string): LogLevel {
    const named = (levelInJson.exec(line) ?? levelInPretty.exec(line))?.[1];
    if (named !== undefined) return named as LogLevel;
    if (/^\s/.test(line)) return this.#last;
    return line.startsWith('easyserve: ') ? 'error' : 'info';
  }
}
