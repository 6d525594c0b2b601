/** What app/python/easyserve_django_deployment.py tells of the settings; a part is missing where they keep it from being told. */
export interface DeploymentFacts {
  readonly secretKeys?: readonly SecretKeyFacts[];
  readonly databases?: readonly DatabaseFacts[];
  readonly caches?: CacheFacts;
  /** Missing without the middleware for sessions. */
  readonly sessions?: SessionFacts;
  /** Dotted name of the backend of Channels. */
  readonly channelLayer?: string;
  readonly security?: SecurityFacts;
  readonly folders?: FolderFacts;
  readonly uploads?: UploadFacts;
  readonly time?: TimeFacts;
  /** Absolute paths of settings files that hold a secret of the site. */
  readonly secretFiles?: readonly string[];
}

/** Of a key nothing is told that would help to guess it. */
export interface SecretKeyFacts {
  /** `SECRET_KEY`, `SECRET_KEY_FALLBACKS[0]` */
  readonly name: string;
  readonly length: number;
  /** How many different characters it has. */
  readonly distinct: number;
  /** startproject made it. */
  readonly isExample: boolean;
  /** The settings make another one each time they are loaded. */
  readonly isMadeAnew: boolean;
}

export interface DatabaseFacts {
  readonly alias: string;
  /** `django.db.backends.postgresql` */
  readonly engine: string;
  /** null: until the process ends. */
  readonly connMaxAgeSeconds: number | null;
  /** Connections of one process; null: one for each thread. */
  readonly poolSize: number | null;
  /** The same for databases that share the connections of one server. */
  readonly server: string;
  readonly sqlite?: SqliteFacts;
}

export interface SqliteFacts {
  /** Absolute; null: in memory. */
  readonly file: string | null;
  /** null: Python's 5 seconds. */
  readonly timeoutSeconds: number | null;
  readonly isWal: boolean;
}

export interface CacheFacts {
  /** The project says CACHES itself. */
  readonly isSet: boolean;
  /** Alias -> dotted name. */
  readonly backends: Readonly<Record<string, string>>;
}

export interface SessionFacts {
  /** Dotted name of the module. */
  readonly engine: string;
  /** Alias of the cache, for engines that use one. */
  readonly cache: string;
}

export interface SecurityFacts {
  readonly csrfTrustedOrigins: readonly string[];
  readonly hasCsrf: boolean;
  /** Names of the settings that send a cookie by HTTPS only. */
  readonly secureCookies: readonly string[];
  readonly hstsSeconds: number;
  readonly forceScriptName: string | null;
  /** SECURE_PROXY_SSL_HEADER is set. */
  readonly hasProxyHeader: boolean;
  readonly usesForwardedHost: boolean;
}

/** Absolute, as the settings name them; missing where they don't. */
export interface FolderFacts {
  readonly mediaRoot?: string;
  readonly staticRoot?: string;
  /** WHITENOISE_ROOT */
  readonly whitenoiseRoot?: string;
  readonly staticDirs: readonly string[];
  /** Those that are not there. */
  readonly missingStaticDirs: readonly string[];
}

export interface UploadFacts {
  /** DATA_UPLOAD_MAX_MEMORY_SIZE: of a request without its files; null: no limit. */
  readonly requestMaxBytes: number | null;
  /** FILE_UPLOAD_MAX_MEMORY_SIZE: a larger file is written to a temporary one. */
  readonly fileMemoryBytes: number;
  /** FILE_UPLOAD_TEMP_DIR; null: the system's. */
  readonly folder: string | null;
}

export interface TimeFacts {
  readonly zone: string;
  /** The project says TIME_ZONE itself. */
  readonly isSet: boolean;
  /** USE_TZ */
  readonly usesZones: boolean;
  /** Python finds the zone. */
  readonly isKnown: boolean;
}

/** What app/python/easyserve_django_examination.py has found out; only `easyserve check` asks for it. */
export interface Examination {
  readonly messages: readonly DjangoMessage[];
  readonly databases: readonly ExaminedDatabase[];
  /** Why Django's own checks could not be run. */
  readonly failure?: string;
  /** False: Django's own checks took too long. */
  readonly isComplete: boolean;
}

/** Of `manage.py check --deploy`. */
export interface DjangoMessage {
  /** `security.W004`; '' where a check gives none. */
  readonly id: string;
  /** Of Python's logging: 30 is a warning. */
  readonly level: number;
  readonly message: string;
  readonly hint: string | null;
}

export interface ExaminedDatabase {
  readonly alias: string;
  /** Why it could not be asked. */
  readonly failure?: string | null;
  /** `shop.0002_price` */
  readonly unapplied: readonly string[];
  /** Connections that the site may have; missing or null where nobody says. */
  readonly maxConnections?: number | null;
}
