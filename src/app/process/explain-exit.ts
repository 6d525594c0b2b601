import { type ErrorMore, StartError } from '../../contracts/errors.js';
import { endCode } from '../../contracts/stray-signals.js';
import type { LaunchPlan } from '../servers/application-server.js';
import type { LoadFailure } from './app-control.js';

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last lines of output, oldest first. */
  readonly lastLines: string;
}

/** Of a process that has ended before it was ready; `told`: what it said of itself before. `pid`: 0 where there was none. */
export function explainExit(
  pid: number,
  { command, hints }: LaunchPlan,
  exit: ExitFacts,
  told: LoadFailure | undefined,
): StartError {
  if (pid === 0) {
    const message = `The application could not be started: ${exit.lastLines}.`;
    return new StartError('app-not-spawned', message, { detail: command });
  }
  const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
  const failure = told && describeFailure(told, exit);
  const message =
    failure === undefined
      ? `The application ${how} before it was ready.`
      : `The application could not be loaded: ${failure.reason}`;
  return new StartError(endCode(exit.signal, 'app-exited'), message, {
    detail: failure?.detail ?? exit.lastLines,
    hint: failure?.hint ?? (exit.code === 0 ? hints?.endedEarly : undefined),
  });
}

// Private

/** In words for a person, from what it told before its end. */
function describeFailure(failure: LoadFailure, exit: ExitFacts): { reason: string } & ErrorMore {
  if ('reason' in failure) return { ...failure, reason: `${failure.reason}.`, detail: exit.lastLines };
  return { reason: failure.error.trimEnd().split('\n').at(-1) ?? '', detail: failure.error };
}
