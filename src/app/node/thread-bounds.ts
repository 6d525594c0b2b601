import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';

/** What a worker thread may not do (Node.js documentation, worker_threads: "Notable differences"). */
const forbidden = [
  'chdir',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
  'abort',
] as const;

/** Calls `onCrossed` when the application does what needs a process of its own. It may not return. */
export function watchThreadBounds(onCrossed: (what: string) => void): void {
  watchForbidden(onCrossed);
  watchSignals(onCrossed);
  watchAddons(onCrossed);
  watchChildren(onCrossed);
  syncBuiltinESMExports();
}

// Private

type Anything = (...args: unknown[]) => unknown;

/** After onCrossed the function of Node is called, and throws. */
function watchForbidden(onCrossed: (what: string) => void): void {
  const own = process as unknown as Record<string, Anything | undefined>;
  for (const name of forbidden) {
    const original = own[name];
    if (original === undefined) continue; // not on this system
    own[name] = (...args) => {
      onCrossed(`it calls process.${name}()`);
      return Reflect.apply(original, process, args);
    };
  }
}

/** Without an error they would simply never be called. */
function watchSignals(onCrossed: (what: string) => void): void {
  process.on('newListener', (name: string | symbol) => {
    if (typeof name === 'string' && name in constants.signals) onCrossed(`it listens for the signal ${name}`);
  });
}

/** An addon that is not context-aware can be loaded by one thread only (Node.js documentation, C++ addons). */
function watchAddons(onCrossed: (what: string) => void): void {
  const original = process.dlopen as Anything;
  process.dlopen = ((...args: unknown[]) => {
    try {
      return Reflect.apply(original, process, args);
    } catch (error) {
      onCrossed(`the addon ${String(args[1])} can't be loaded in a thread`);
      throw error;
    }
  }) as typeof process.dlopen;
}

/** They would outlive the thread, and write to the output of easyserve. spawnSync and the like wait for their end. */
function watchChildren(onCrossed: (what: string) => void): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as { spawn: Anything };
  const { spawn } = prototype;
  prototype.spawn = function (this: unknown, ...args: unknown[]): unknown {
    onCrossed('it starts another process');
    return Reflect.apply(spawn, this, args);
  };
}
