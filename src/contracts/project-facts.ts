import type { DeploymentFacts, Examination } from './deployment-facts.js';

/**
 * What was found in the folder, by kind of application: plain data, so that it reaches a worker as a message.
 *
 * `app/` reads how to start it, `front/` (through `site/`) what to serve by itself.
 */
export type Project = DjangoProject | CallableProject | NodeProject | CommandProject | FolderProject;

/** Projects that Python runs. */
export type PythonProject = DjangoProject | CallableProject;

interface AnyProject {
  /** Absolute, symlinks resolved at each load, so that a reload sees a `current` link that was turned. */
  readonly root: string;
  /** Sentences for the log: what was found but left out, and why. */
  readonly warnings: readonly string[];
  /** engine.io is among its packages, on which Socket.IO builds: a session by long polling needs the process that began it. */
  readonly hasEngineIo?: boolean;
}

interface ImportedByPython extends AnyProject {
  readonly server: 'gateway' | 'cheroot' | AsgiServerName;
  readonly python: Interpreter;
  /** `module:callable`; for Django without WSGI_APPLICATION `django.core.wsgi:get_wsgi_application()`. */
  readonly application: string;
  /** Resident size of a process that has the application loaded; undefined where it was not measured. */
  readonly applicationRssBytes: number | undefined;
  readonly environment?: EnvironmentUse | undefined;
}

export interface DjangoProject extends ImportedByPython {
  readonly kind: 'django';
  /** Goes into DJANGO_SETTINGS_MODULE. */
  readonly settingsModule: string;
  /** manage.py itself names other settings, perhaps for development, with another database. */
  readonly hasOtherManageSettings?: boolean;
  readonly django: DjangoFacts;
}

/** Any other WSGI or ASGI application. */
export interface CallableProject extends ImportedByPython {
  readonly kind: 'wsgi' | 'asgi';
  /** Beside the project's folder on sys.path: `src`, where the application is there. */
  readonly pythonPath?: string | undefined;
}

export interface NodeProject extends AnyProject {
  readonly kind: 'node';
  readonly server: 'node';
  /** Absolute path of the file that Node.js runs. */
  readonly application: string;
  readonly node: NodeFacts;
}

export interface CommandProject extends AnyProject {
  readonly kind: 'command';
  readonly server: 'command';
  /** The command line, for the shell. */
  readonly application: string;
}

export interface FolderProject extends AnyProject {
  readonly kind: 'folder';
  /** The front serves the files alone. */
  readonly server: 'none';
  /** Absolute path of the folder. */
  readonly application: string;
}

/** Undefined where no Python runs the application. */
export function interpreterOf(project: Project): Interpreter | undefined {
  return 'python' in project ? project.python : undefined;
}

/** Undefined where it is no Django project. */
export function djangoFactsOf(project: Project): DjangoFacts | undefined {
  return project.kind === 'django' ? project.django : undefined;
}

/** The ASGI servers, in the order in which they are looked for. */
export const asgiServers = ['uvicorn', 'granian', 'hypercorn', 'daphne'] as const;
export type AsgiServerName = (typeof asgiServers)[number];
/** What runs an application; see app/servers/application-servers. */
export type ServerName = Project['server'];

/** Whether it takes one request at a time on each of its threads; the others take as many as `concurrency` allows. */
export function isThreaded(server: ServerName): boolean {
  return server === 'gateway' || server === 'cheroot';
}

/** Each kind in the words that a person reads. */
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

/** What a project took from its environment while it was loaded. */
export interface EnvironmentUse {
  /** Variables that were set, and that it looked up by name. */
  readonly reads: readonly string[];
  /** Absolute paths of .env files that it opened. */
  readonly files: readonly string[];
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

/** A view of Django at an address that easyserve would answer with a file. */
export interface ViewAddress {
  /** Of the files: `/media/`. */
  readonly prefix: string;
  /** Decoded, from the root of the site: what the address begins with, and what comes later in it, in this order. */
  readonly pieces: readonly string[];
  /** It ends with the last piece. */
  readonly isExact: boolean;
  /** Where the view is: `shop.views.invoice`. */
  readonly view: string;
}

export interface DjangoFacts {
  readonly version: string;
  readonly isDebug: boolean;
  /** With DEBUG: a module beside the settings that is called as those for production are. */
  readonly productionSettings?: string | undefined;
  readonly allowedHosts: readonly string[];
  /** SECURE_SSL_REDIRECT: pages are answered to visitors by https only. */
  readonly redirectsToHttps: boolean;
  /** What a proxy adds to a request that came by https (SECURE_PROXY_SSL_HEADER); names in lower case. */
  readonly secureProxyHeaders: Readonly<Record<string, string>>;
  /** XFrameOptionsMiddleware is there: a page without X-Frame-Options may be framed on purpose (@xframe_options_exempt). */
  readonly decidesFraming: boolean;
  /** Whether the traceback of a view that fails is written anywhere; by Django's default LOGGING it is only mailed. */
  readonly logsErrors: boolean;
  /** Path prefix with slashes at both ends; undefined where STATIC_URL is a full URL or empty, or staticfiles is not installed. */
  readonly staticPrefix: string | undefined;
  readonly staticRoot: string | undefined;
  /** Without STATIC_ROOT: what the finders found, URL path below the prefix -> absolute file. */
  readonly staticFound: Readonly<Record<string, string>> | undefined;
  /** Names that the manifest storage made (hashed, so immutable), below the prefix; from staticfiles.json. Read after collectstatic. */
  readonly staticManifest: string | undefined;
  /** Static files that templates ask for, and that the manifest does not have; undefined: none, or there is no manifest. */
  readonly staticMissing?: readonly MissingStatic[] | undefined;
  /** Below staticRoot: the folder that django-compressor writes into while the site runs (COMPRESS_OUTPUT_DIR). */
  readonly compressedBelow?: string | undefined;
  /** What WhiteNoise's settings say; undefined where there are none. */
  readonly whitenoise?: WhiteNoiseFacts | undefined;
  /** Below the prefixes that are answered before the application; undefined where the URLconf cannot be loaded. */
  readonly addresses: readonly ViewAddress[] | undefined;
  /** Why the URLconf cannot be loaded, in one sentence. */
  readonly urlsFailure: string | undefined;
  readonly mediaPrefix: string | undefined;
  readonly mediaRoot: string | undefined;
  /** Absolute paths of SQLite databases; undefined: none. */
  readonly databaseFiles?: readonly string[] | undefined;
  /** Of handlers in LOGGING; undefined: none. */
  readonly logFiles?: readonly string[] | undefined;
  /** Of file caches, sessions in files and uploads on their way; undefined: none. */
  readonly cacheFolders?: readonly string[] | undefined;
  /** What `easyserve check` has to know of the settings. */
  readonly deployment?: DeploymentFacts;
  /** Missing where it was not asked for. */
  readonly examination?: Examination;
  /** The EASYSERVER and CHEROOT settings as they stand in Django; undefined where missing. */
  readonly easyserver: unknown;
  readonly cheroot: unknown;
}

/** A page whose template asks for it fails. */
export interface MissingStatic {
  readonly name: string;
  /** Path of the template, from the project's folder. */
  readonly template: string;
  /** A finder has it, so that collectstatic will list it. */
  readonly isFound: boolean;
}

/** WhiteNoise's settings, as app/python/easyserve_whitenoise.py reads them; undefined: not set. */
export interface WhiteNoiseFacts {
  /** null: no Cache-Control. */
  readonly maxAgeSeconds?: number | null;
  readonly allowsAllOrigins?: boolean;
  /** Of types that begin with `text/`. */
  readonly charset?: string;
  /** By name, or by ending with its dot, in lower case. */
  readonly mediaTypes?: Readonly<Record<string, string>>;
  /** `index.html`: answers at the address of its folder. */
  readonly indexFile?: string;
  /** Folder whose files are answered at the root of the site. */
  readonly root?: string;
  /** There are functions, or an expression, that have to be asked of each file, in the project's Python. */
  readonly asksFiles: boolean;
  /** What they said, by address; undefined until the files are there to be asked of. */
  readonly answers?: Readonly<Record<string, FileAnswer>>;
  /** Names of settings without effect on what easyserve sends. */
  readonly ignored: readonly string[];
}

export interface FileAnswer {
  /** Undefined: the manifest decides. */
  readonly isImmutable?: boolean;
  /** Headers whose values are others than usual: the name, and its values; none: it is not sent. */
  readonly headers?: readonly (readonly [name: string, values: readonly string[]])[];
}
