import type { Readable } from 'node:stream';
import { systemClock } from '../contracts/clock.js';
import { createLog, type RootLog } from '../log/create-log.js';
import type { LogStream } from '../log/line-batch.js';
import type { Output } from '../log/output.js';
import { systemReason, tellNews } from '../log/output-news.js';
import { createProgress, type Progress } from '../log/progress.js';
import { relayLines } from '../log/read-lines.js';
import { RecentLines } from '../log/recent-lines.js';
import type { Settings } from '../settings/settings.js';

/** Everything that an instance writes: its log, the lines of its workers, and on a terminal how far it is. */
export class InstanceOutput {
  readonly log: RootLog;
  /** Fixed for the life of the instance. */
  readonly format: 'pretty' | 'json';
  readonly isColoured: boolean;
  readonly progress: Progress;
  /** For `easyserve logs`. */
  readonly recentLines = new RecentLines();
  readonly #outputs: Readonly<Record<LogStream, Output>>;

  /** `settings`: the first look at them, without Django's. */
  constructor(
    outputs: Readonly<Record<LogStream, Output>>,
    settings: Pick<Settings, 'logFormat' | 'logLevel'>,
  ) {
    this.#outputs = outputs;
    const { write, isTerminal, columns, colour } = outputs.stdout;
    const automatic = isTerminal ? 'pretty' : 'json';
    this.format = settings.logFormat === 'auto' ? automatic : settings.logFormat;
    this.isColoured = colour;
    this.progress = createProgress({ write, isTerminal, columns, clock: systemClock });
    this.log = createLog({
      format: this.format,
      level: settings.logLevel,
      colour,
      write: (text, stream) => this.takeLines(text, stream),
      clock: systemClock,
      backpressureOf: (stream) => outputs[stream].backpressure,
    });
    tellNews(this.log, outputs);
  }

  /** Whole lines: records of this log, the banner, and those of workers, which have logs of their own. */
  takeLines(lines: string, stream: LogStream): void {
    this.recentLines.push(lines);
    this.progress.hide();
    this.#outputs[stream].write(lines);
  }

  /** The same for the output of a worker, as fast as our own reader takes it. */
  relay(source: Readable, stream: LogStream): void {
    relayLines(source, this.#outputs[stream].backpressure, (lines) => this.takeLines(lines, stream));
  }

  /** SIGUSR1: a program that rotates logs has moved the files away. */
  async reopen(): Promise<void> {
    const outputs = new Set([this.#outputs.stdout, this.#outputs.stderr]);
    const areFiles = await Promise.all([...outputs].map((output) => this.#reopen(output)));
    if (areFiles.includes(true)) return;
    this.log.info('signal-ignored', 'SIGUSR1 opens log files anew, and this log is no file', {
      signal: 'SIGUSR1',
    });
  }

  // Private

  /** Whether it is a file. */
  async #reopen(output: Output): Promise<boolean> {
    try {
      const file = await output.reopen();
      if (file === undefined) return false;
      this.log.info('log-reopened', `the log goes on in ${file}`, { file });
    } catch (error) {
      const reason = systemReason(error);
      this.log.error('log-not-reopened', `the log goes on in the old file: ${reason}`, { error: reason });
    }
    return true;
  }
}
