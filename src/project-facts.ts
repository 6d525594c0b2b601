/**
 * What was found in the folder: plain data, made by project/detect-project, sent to workers as a message.
 *
 * Read by app/ (how to start it) and, through site, by front/ (what to serve by itself).
 */
export interface Project {
  readonly kind: 'django' | 'wsgi';
  /** Absolute, symlinks resolved at each load, so that a switched `current` link is seen by a reload. */
  readonly root: string;
  readonly python: Interpreter;
  /** `module:callable`; for Django without WSGI_APPLICATION `django.core.wsgi:get_wsgi_application()`. */
  readonly application: string;
  /** Django only; goes into DJANGO_SETTINGS_MODULE. */
  readonly settingsModule: string | undefined;
  readonly django: DjangoFacts | undefined;
  /** Resident size of a process that has the application loaded; undefined where it was not measured. */
  readonly applicationRssBytes: number | undefined;
  /** Sentences for the log: what was found but left out, and why. */
  readonly warnings: readonly string[];
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
  /** The EASYSERVER and CHEROOT settings as they stand in Django; undefined where missing. */
  readonly easyserver: unknown;
  readonly cheroot: unknown;
}
