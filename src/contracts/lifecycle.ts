/**
 * States of an application process: one field, one writer (app/process/app-process), one table of what may follow what.
 *
 *   starting  spawned, not ready yet
 *   ready     takes requests
 *   draining  takes no new request, finishes what is in flight
 *   stopping  told to end
 *   exited    gone; the end of every path
 */
export type AppState = 'starting' | 'ready' | 'draining' | 'stopping' | 'exited';

const following = {
  starting: ['ready', 'stopping', 'exited'],
  ready: ['draining', 'stopping', 'exited'],
  draining: ['stopping', 'exited'],
  stopping: ['exited'],
  exited: [],
} as const satisfies Record<AppState, readonly AppState[]>;

/**
 * States of a whole instance, as `easyserve status` shows them; the writer is supervisor/instance.
 *
 *   starting    not ready for the first time yet
 *   running     serves
 *   reloading   serves the old release, prepares a new one
 *   restarting  stops everything and starts again, the listening sockets kept
 *   stopping    finishes what is in flight
 *   stopped     nothing is left
 */
export type InstanceState = 'starting' | 'running' | 'reloading' | 'restarting' | 'stopping' | 'stopped';

const instanceFollowing = {
  starting: ['running', 'stopping', 'stopped'],
  running: ['reloading', 'restarting', 'stopping'],
  reloading: ['running', 'stopping'],
  restarting: ['running', 'stopping'],
  stopping: ['stopped'],
  stopped: [],
} as const satisfies Record<InstanceState, readonly InstanceState[]>;

/** One state field. `onChange` is called once for each change, after it. */
export class Lifecycle<S extends string> {
  readonly #table: Readonly<Record<S, readonly S[]>>;
  readonly #onChange: (to: S, from: S) => void;
  #state: S;

  constructor(table: Readonly<Record<S, readonly S[]>>, initial: S, onChange: (to: S, from: S) => void) {
    this.#table = table;
    this.#state = initial;
    this.#onChange = onChange;
  }

  get state(): S {
    return this.#state;
  }

  canBecome(to: S): boolean {
    return this.#table[this.#state].includes(to);
  }

  /** Throws on a transition that the table does not allow: a bug, never an input. */
  become(to: S): void {
    const from = this.#state;
    if (!this.canBecome(to)) throw new Error(`state ${from} cannot become ${to}`);
    this.#state = to;
    this.#onChange(to, from);
  }
}

export function appLifecycle(onChange: (to: AppState, from: AppState) => void): Lifecycle<AppState> {
  return new Lifecycle<AppState>(following, 'starting', onChange);
}

export function instanceLifecycle(
  onChange: (to: InstanceState, from: InstanceState) => void,
): Lifecycle<InstanceState> {
  return new Lifecycle<InstanceState>(instanceFollowing, 'starting', onChange);
}
