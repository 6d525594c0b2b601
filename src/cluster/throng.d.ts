/** throng 5 has no types of its own. */
declare module 'throng' {
  interface ThrongOptions {
    readonly count: number;
    /** Milliseconds during which a worker that disconnects is forked again. */
    readonly lifetime: number;
    /** Events of `process`. */
    readonly signals?: string[];
    readonly master?: () => void | Promise<void>;
    readonly worker: (id: number, disconnect: () => void) => void | Promise<void>;
  }
  export default function throng(options: ThrongOptions): Promise<void>;
}
