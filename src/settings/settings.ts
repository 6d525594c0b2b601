import type { ServerName } from '../contracts/project-facts.js';

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

  /** User that handles requests and runs the application when root starts it; null: the owner of the project folder. */
  readonly user: string | null;
  /** Group of its processes then; null: the user's own. */
  readonly group: string | null;

  /** `module:callable` of a WSGI or ASGI application, or the file of a Node.js application; null: found. */
  readonly app: string | null;
  /** What runs the application; auto: chosen by what it is. */
  readonly server: 'auto' | Exclude<ServerName, 'command' | 'none'>;
  /** Which of both a Python application is called by; auto: WSGI, unless it has only the other. */
  readonly interface: 'auto' | 'wsgi' | 'asgi';
  /** A command that starts any other server; null: none. */
  readonly command: string | null;
  /** Requests that one process of an asynchronous server, or of a command, gets at the same time. */
  readonly concurrency: number;
  /** How front and Python processes talk; auto: Unix sockets where the system has them for Python, else TCP. */
  readonly transport: 'auto' | 'unix' | 'tcp';
  /** Folder that is served as the whole site; null: found. */
  readonly folder: string | null;
  /** File in `folder` that answers every path without a file, for single-page applications; null: none. */
  readonly fallback: string | null;
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
  /** URL prefix -> folder that the front serves by itself, beside what Django tells. */
  readonly static: Readonly<Record<string, string>>;
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
  /** For WebSockets and event streams on a reload: they go on with the old application for so long. */
  readonly streamDrainTimeoutMs: number;
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

  /** Whether HTTPS is served; null: where a certificate or a domain is set. */
  readonly https: boolean | null;
  /** Port of HTTPS; 0: any free one; null: 443 where the process may bind it, else 8443. */
  readonly httpsPort: number | null;
  readonly http2: boolean;
  /** PEM files (absolute) of one certificate; its key is in tlsCert where tlsKey is null. */
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly tlsPassphraseFile: string | null;
  /** More certificates, after that one. */
  readonly tlsCertificates: readonly CertificateFiles[];
  readonly redirectToHttps: boolean;
  /** Visitors of the site's other names are sent to this one. */
  readonly canonicalHost: string | null;
  /** Strict-Transport-Security; ramp: for an hour at first, later for a year. */
  readonly hsts: 'off' | 'on' | 'ramp';

  /** Host names that certificates are got for by ACME, one for each. */
  readonly domains: readonly string[];
  /** URL of the ACME directory. */
  readonly acmeDirectory: string;
  readonly acmeEmail: string | null;
  readonly acmeAgreeTerms: boolean;
  /** ecdsa: P-256; rsa: 2048 bits. */
  readonly acmeKeyType: 'ecdsa' | 'rsa';
  /** External account binding: both, or none. */
  readonly acmeEabKeyId: string | null;
  readonly acmeEabHmacKeyFile: string | null;
  /** Root certificate of the directory's server (absolute); null: the usual ones. */
  readonly acmeCaFile: string | null;
  /** null: in the user's state folder. */
  readonly acmeFolder: string | null;

  /** Reload when the settings file changes. */
  readonly watch: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** auto: pretty on a terminal, else json. */
  readonly logFormat: 'auto' | 'pretty' | 'json';
  readonly accessLog: boolean;
}

/** The PEM files (absolute) of a certificate. */
export interface CertificateFiles {
  readonly cert: string;
  /** Missing: the key is in the file of the certificate. */
  readonly key?: string;
  /** Its first line is the passphrase of the key. */
  readonly passphraseFile?: string;
}
