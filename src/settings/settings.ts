/**
 * The one frozen value that the whole program reads.
 *
 * Made by settings/load from defaults, Django's EASYSERVER and CHEROOT, the settings file, the environment
 * and the flags. No other file reads process.env or argv. A reload makes a new value.
 */
export interface Settings {
  /** Address to listen on; null: 0.0.0.0, or loopback while Django's DEBUG is on. */
  readonly host: string | null;
  /** Port to listen on; 0: any free one; null: 80 where the process may bind it, else 8000. */
  readonly port: number | null;
  /** Application processes in all. 1: single-process threaded mode. */
  readonly processes: number | 'auto';
  /** Threads of each application process. */
  readonly threads: number | 'auto';
  /** HTTP fronts (throng workers) of cluster mode; auto: one per four application processes. */
  readonly fronts: number | 'auto';

  /** `module:callable` of a WSGI application; null: found. */
  readonly app: string | null;
  /** Django's settings module; null: read from manage.py. */
  readonly settingsModule: string | null;
  /** Python interpreter; null: found. */
  readonly python: string | null;
  /** WSGI SCRIPT_NAME: the URL prefix that the application is mounted under; '' for the root. */
  readonly scriptName: string;
  /** Django's CHEROOT dict, kept for the cheroot server; `numthreads` sets `threads`. */
  readonly cheroot: Readonly<Record<string, unknown>>;

  /** Whether the front serves Django's static and media files. */
  readonly serveStatic: boolean;
  /** auto: run collectstatic at start and reload when STATIC_ROOT is set. */
  readonly collect: 'auto' | 'never';
  /** Folder served under /.well-known/; null: none. */
  readonly wellKnownRoot: string | null;
  readonly mediaMaxAgeSeconds: number;
  /** Static files up to this size are kept in memory. */
  readonly staticMemoryFileBytes: number;
  readonly compress: boolean;
  readonly compressMinBytes: number;
  /** Folders (absolute) that X-Sendfile may name files in. */
  readonly sendfileRoots: readonly string[];
  /** X-Accel-Redirect: internal URL prefix -> folder. */
  readonly accelRoots: Readonly<Record<string, string>>;

  /** Peers (addresses or CIDR blocks) whose X-Forwarded-* headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly maxBodyBytes: number;
  /** A request body above this is spooled to a file. */
  readonly bodyMemoryBytes: number;
  /** URL path prefixes whose uploads are streamed to the application instead of read whole first. */
  readonly streamUploads: readonly string[];
  /** How much of a response is taken off the application's thread ahead of a slow client. */
  readonly responseBufferBytes: number;
  readonly maxHeaderBytes: number;
  readonly headerTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Requests that may wait for an idle thread, per front. */
  readonly queueRequests: number;
  readonly queueTimeoutMs: number;

  /** From spawn to ready. */
  readonly readyTimeoutMs: number;
  /** Path that a new process must answer below 500. */
  readonly healthPath: string;
  /** Host header of the probe; null: the first usable name of ALLOWED_HOSTS. */
  readonly healthHost: string | null;
  readonly healthTimeoutMs: number;
  /** For requests in flight on a reload or stop. */
  readonly drainTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly killTimeoutMs: number;
  /** A request that runs longer is stuck: stack logged, 504, process recycled. 0: never. */
  readonly requestTimeoutMs: number;
  /** How many new application processes of one front start at the same time. */
  readonly startConcurrency: number;
  /** Requests after which a process is recycled (up to 10 % more, by chance). 0: never. */
  readonly recycleRequests: number;
  /** Resident size above which a process is recycled. 0: never. */
  readonly recycleMemoryBytes: number;
  /** Age after which a process is recycled. 0: never. */
  readonly recycleLifetimeMs: number;
  readonly restartBackoffMs: number;
  readonly restartBackoffMaxMs: number;
  /** Crashes within restartWindowMs after which the state is a crash loop: 503 at once, restarts at the longest delay. */
  readonly restartBudget: number;
  readonly restartWindowMs: number;

  /** Reload when the settings file changes. */
  readonly watch: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** auto: pretty on a terminal, else json. */
  readonly logFormat: 'auto' | 'pretty' | 'json';
  readonly accessLog: boolean;
}
