/**
 * What was found in the folder: plain data, made by project/detect-project, sent to workers as a message.
 *
 * Read by app/ (how to start it) and, through site, by front/ (what to serve by itself).
 */
export interface Project {
  readonly kind: 'django' | 'wsgi' | 'asgi' | 'node' | 'command' | 'folder';
  /** What runs it; see app/application-servers. `none`: the front alone serves a folder of files. */
  readonly server: ServerName;
  /** Absolute, symlinks resolved at each load, so that a switched `current` link is seen by a reload. */
  readonly root: string;
  /** Undefined where no Python runs the application. */
  readonly python: Interpreter | undefined;
  /**
   * Python: `module:callable`; for Django without WSGI_APPLICATION `django.core.wsgi:get_wsgi_application()`. Node.js: the
   * file, absolute. A command: the command line. A folder: its path, absolute.
   */
  readonly application: string;
  readonly node: NodeFacts | undefined;
  /** Django only; goes into DJANGO_SETTINGS_MODULE. */
  readonly settingsModule: string | undefined;
  readonly django: DjangoFacts | undefined;
  /** Resident size of a process that has the application loaded; undefined where it was not measured. */
  readonly applicationRssBytes: number | undefined;
  /** Sentences for the log: what was found but left out, and why. */
  readonly warnings: readonly string[];
}

/** The ASGI servers, in the order in which they are looked for. */
export const asgiServers = ['uvicorn', 'granian', 'hypercorn', 'daphne'] as const;
export type AsgiServerName = (typeof asgiServers)[number];
export type ServerName = 'gateway' | 'cheroot' | AsgiServerName | 'node' | 'command' | 'none';

/** One request at a time on each of their threads; the others take as many as the setting `concurrency` allows. */
export function isThreaded(server: ServerName): boolean {
  return server === 'gateway' || server === 'cheroot';
}

/** What a person reads. */
export const kindNames: Readonly<Record<Project['kind'], string>> = {
  django: 'Django',
  wsgi: 'WSGI',
  asgi: 'ASGI',
  node: 'Node.js',
  command: 'a command',
  folder: 'a folder of files',
};

/** How Node.js runs the file that `application` names. */
export interface NodeFacts {
  /** What stands between `node` and the file in scripts.start. */
  readonly nodeArgs: readonly string[];
  /** What stands behind it. */
  readonly args: readonly string[];
  /** Variables that scripts.start sets: `NODE_ENV=production node server.js`. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Interpreter {
  /** Absolute path of the executable. */
  readonly path: string;
  /** Where it came from, for the banner: `.venv`, `$VIRTUAL_ENV`, `poetry`, `python3 of PATH`, `setting`. */
  readonly source: string;
  /** `3.11.7` */
  readonly version: string;
  /** False on a free-threaded build with the GIL off after the application was imported. */
  readonly isGilEnabled: boolean;
}

export interface DjangoFacts {
  readonly version: string;
  readonly isDebug: boolean;
  readonly allowedHosts: readonly string[];
  /** Whether the traceback of a view that fails is written anywhere; by Django's default LOGGING it is only mailed. */
  readonly logsErrors: boolean;
  /** Path prefix with slashes at both ends; undefined where STATIC_URL is a full URL or empty, or staticfiles is not installed. */
  readonly staticPrefix: string | undefined;
  readonly staticRoot: string | undefined;
  /** Without STATIC_ROOT: what the finders found, URL path below the prefix -> absolute file. */
  readonly staticFound: Readonly<Record<string, string>> | undefined;
  /** Names that the manifest storage made (hashed, so immutable), below the prefix; from staticfiles.json. Read after collectstatic. */
  readonly staticManifest: string | undefined;
  readonly mediaPrefix: string | undefined;
  readonly mediaRoot: string | undefined;
  /** Absolute paths of SQLite databases; undefined: none. */
  readonly databaseFiles?: readonly string[] | undefined;
  /** The EASYSERVER and CHEROOT settings as they stand in Django; undefined where missing. */
  readonly easyserver: unknown;
  readonly cheroot: unknown;
}
