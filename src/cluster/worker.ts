import { spawn } from 'node:child_process';
import { systemClock } from '../contracts/clock.js';
import { describeError } from '../contracts/errors.js';
import { stopSignals } from '../contracts/stray-signals.js';
import { SharedRateCounter } from '../front/limits/shared-rate-counter.js';
import { createLog, type RootLog } from '../log/create-log.js';
import { openOutputs } from '../log/open-outputs.js';
import { tellNews } from '../log/output-news.js';
import { Site } from '../site/site.js';
import type { SocketHandle } from '../sockets/socket-handle.js';
import type { CallArguments, CallMessage, ToPrimary, ToWorker, WelcomeMessage } from './messages.js';
import { TokenQuestions } from './token-questions.js';
import { runAsWorker } from './worker-group.js';

/** How long the last lines may take to reach the primary, which always reads while it lives. */
const lastLinesMs = 2000;

const outputs = openOutputs(process, systemClock);

/**
 * The program of a throng worker: one Site, told what to do by the primary (WorkerHandle).
 *
 * When the primary is gone Node ends this process by itself (Node documentation, cluster, event `disconnect`), and
 * the application processes follow when their control descriptor closes.
 */
await runAsWorker(() => {
  let site: Site | undefined;
  let log: RootLog | undefined;
  const questions = new TokenQuestions(send);
  // A terminal or a service manager sends these to the whole group; only the primary decides.
  for (const signal of [...stopSignals, 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('message', (message: ToWorker, handle: unknown) => {
    switch (message.kind) {
      case 'welcome':
        log = createWorkerLog(message);
        site = createSite(message, log, questions);
        return;
      case 'call':
        if (message.call === 'configure')
          log?.setLevel((message.args as CallArguments<'configure'>)[0].logLevel);
        if (site !== undefined) void answer(site, message, handle as SocketHandle);
        return;
      case 'taken':
        questions.settle(message);
        return;
      case 'leave':
        void leave(log);
        return;
      case 'kill':
        void Promise.resolve(site?.kill()).then(() => leave(log));
    }
  });
  send({ kind: 'hello' });
});

// Private

/** The end of the channel ends the process. */
async function leave(log: RootLog | undefined): Promise<void> {
  log?.flush();
  await Promise.all([outputs.stdout.settle(lastLinesMs), outputs.stderr.settle(lastLinesMs)]);
  process.disconnect();
}

function send(message: ToPrimary): void {
  process.send?.(message);
}

function createWorkerLog({ log: options }: WelcomeMessage): RootLog {
  const log = createLog({
    ...options,
    write: (text, stream) => outputs[stream].write(text),
    clock: systemClock,
    backpressureOf: (stream) => outputs[stream].backpressure,
  });
  tellNews(log, outputs);
  return log;
}

function createSite(welcome: WelcomeMessage, log: RootLog, questions: TokenQuestions): Site {
  return new Site({
    spawn,
    kill: (pid, signal) => void process.kill(pid, signal),
    clock: systemClock,
    log,
    env: welcome.env,
    runFolder: welcome.runFolder,
    spoolFolder: welcome.spoolFolder,
    pid: process.pid,
    rateCounter: new SharedRateCounter(systemClock, (request) => questions.ask(request)),
  });
}

async function answer(site: Site, { id, call, args }: CallMessage, handle: SocketHandle): Promise<void> {
  try {
    const method = site[call] as (...args: readonly unknown[]) => Promise<unknown>;
    const result = await method.apply(site, call === 'listen' ? [...args, handle] : [...args]);
    send({ kind: 'answer', id, result });
  } catch (error) {
    send({ kind: 'answer', id, error: describeError(error) });
  }
}
