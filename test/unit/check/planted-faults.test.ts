import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../../../src/check/finding.js';
import { runChecks } from '../../../src/check/run-checks.js';
import type { ProcessPlan } from '../../../src/project/process-plan.js';
import type { Settings } from '../../../src/settings/settings.js';
import { makeSubject } from '../../support/check-subject.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { plantProject } from '../../support/planted-project.js';
import { detectDjango } from '../project/project-files.js';

interface Planted {
  /** Lines of the settings; the rest of the project is in order. */
  readonly lines?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly settings?: Partial<Settings>;
  readonly plan?: Partial<ProcessPlan>;
  /** `name severity` of all that is found, the worst first. */
  readonly found: readonly string[];
  /** Parts of the fixes, in this order. */
  readonly fixes?: readonly string[];
}

const several = { processes: 4 };
const sqlite = (options = '{}', more = '') =>
  `DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db', 'OPTIONS': ${options}${more}}}`;
const goodSqlite = sqlite("{'timeout': 20, 'init_command': 'PRAGMA journal_mode=WAL;'}");
const noMigrations = "MIGRATION_MODULES = {'auth': None, 'contenttypes': None, 'sessions': None}\n";
const network = (more: string) =>
  `DATABASES = {'default': {'ENGINE': 'planted.backend', 'NAME': BASE_DIR / 'db', ${more}}}`;
const https = { domains: ['www.example.org'] };
/** SQLite that passes for PostgreSQL with 30 connections. */
const backend = {
  'planted/backend/__init__.py': '',
  'planted/backend/base.py': `from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base
class Cursor(base.SQLiteCursorWrapper):
    def execute(self, query, params=None):
        is_question = 'max_connections' in query
        return super().execute('SELECT 30, -1, -1' if is_question else query, params)
class DatabaseWrapper(base.DatabaseWrapper):
    vendor = 'postgresql'
    def __init__(self, settings, alias):
        self.own = settings
        super().__init__({**settings, 'OPTIONS': {}, 'NAME': ':memory:'}, alias)
    @property
    def pool(self):
        if self.own['OPTIONS'].get('pool') and self.own['CONN_MAX_AGE'] != 0:
            raise ImproperlyConfigured("Pooling doesn't support persistent connections.")
    def create_cursor(self, name=None):
        return self.connection.cursor(factory=Cursor)
`,
};

const faults: Readonly<Record<string, Planted>> = {
  nothing: { found: [] },
  'nothing, by https': {
    lines:
      'SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\nSECURE_HSTS_SECONDS = 3600\nSECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True',
    settings: https,
    found: [],
  },
  'the key of startproject': {
    lines: "SECRET_KEY = 'django-insecure-' + SECRET_KEY",
    found: ['secret-key-weak warning'],
    fixes: ['secrets.token_urlsafe(50)'],
  },
  'a short key': { lines: "SECRET_KEY = 'a-secret-of-mine'", found: ['secret-key-weak warning'] },
  'a key of one letter': { lines: "SECRET_KEY = 'x' * 60", found: ['secret-key-weak warning'] },
  'no key': { lines: "SECRET_KEY = ''", found: ['secret-key-weak error'] },
  'a short key among the fallbacks': {
    lines: "SECRET_KEY_FALLBACKS = ['short']",
    found: ['secret-key-weak warning'],
  },
  'a domain that is refused': {
    settings: { domains: ['example.org'], hsts: 'on' },
    lines: 'SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True',
    found: ['domain-refused error'],
    fixes: ['ALLOWED_HOSTS += ["example.org"] in planted.settings'],
  },
  'a redirect without an end': {
    lines:
      'SECURE_SSL_REDIRECT = True\nSESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\nSECURE_HSTS_SECONDS = 1',
    settings: { host: '0.0.0.0' },
    found: [
      'proxy-not-trusted error',
      'secure-cookies-lost warning',
      'django.security.W005 warning',
      'django.security.W021 warning',
    ],
    fixes: ['trustedProxies = ["127.0.0.1"]'],
  },
  'a header of a proxy that nobody believes': {
    lines:
      "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\nSILENCED_SYSTEM_CHECKS = ['security.W004', 'security.W008', 'security.W012', 'security.W016']",
    settings: { host: '0.0.0.0' },
    found: ['proxy-not-trusted error'],
  },
  'a header that is not among those of the proxy': {
    lines:
      "SECURE_PROXY_SSL_HEADER = ('HTTP_X_SCHEME', 'https')\nSILENCED_SYSTEM_CHECKS = ['security.W004', 'security.W008', 'security.W012', 'security.W016']",
    settings: { trustedProxies: ['10.0.0.1'] },
    found: ['proxy-header-unknown warning'],
    fixes: ['proxyHeaders = ["X-Forwarded-For","X-Forwarded-Proto","x-scheme"]'],
  },
  'origins of TLS that ends in front': {
    lines: "CSRF_TRUSTED_ORIGINS = ['https://www.example.org']",
    settings: {
      host: '0.0.0.0',
      silencedFindings: [
        'django.security.W004',
        'django.security.W008',
        'django.security.W012',
        'django.security.W016',
      ],
    },
    found: ['csrf-origins warning'],
  },
  'origins of http, by https': {
    lines:
      "CSRF_TRUSTED_ORIGINS = ['http://www.example.org']\nSESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True",
    settings: { ...https, hsts: 'on' },
    found: ['csrf-origins warning'],
    fixes: ['CSRF_TRUSTED_ORIGINS = ["https://www.example.org"]'],
  },
  'what Django says of https': {
    settings: https,
    found: ['django.security.W004 warning', 'django.security.W012 warning', 'django.security.W016 warning'],
    fixes: ['hsts = "ramp"', 'SESSION_COOKIE_SECURE = True in planted.settings', 'CSRF_COOKIE_SECURE = True'],
  },
  'the same on the internet, without https': {
    settings: { host: null },
    found: [
      'django.security.W004 note',
      'django.security.W008 note',
      'django.security.W012 note',
      'django.security.W016 note',
    ],
    fixes: [
      'SECURE_HSTS_SECONDS',
      'first HTTPS, as with --domain www.example.org; then SECURE_SSL_REDIRECT = True',
    ],
  },
  'a check of the project, without an id': {
    files: {
      'planted/urls.py':
        "from django.core.checks import Error, register\n@register()\ndef look(app_configs, **kwargs):\n    return [Error('The moon is missing.', hint='look up')]\nurlpatterns = []\n",
    },
    found: ['django error'],
    fixes: ['look up'],
  },
  'a check that raises': {
    files: {
      'planted/urls.py':
        'from django.core.checks import register\n@register()\ndef look(app_configs, **kwargs):\n    raise SystemExit(3)\nurlpatterns = []\n',
    },
    found: ['django-checks-failed warning'],
  },
  'a name that Django gives the addresses, and the front not': {
    lines: "FORCE_SCRIPT_NAME = '/app/'",
    found: ['script-name-differs error'],
    fixes: ['scriptName = "/app" in easyserve.toml'],
  },
  'a name that both give': {
    lines: "FORCE_SCRIPT_NAME = '/app'",
    settings: { scriptName: '/app' },
    found: [],
  },
  'what several processes do not share': {
    lines:
      "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}\nSESSION_ENGINE = 'django.contrib.sessions.backends.cache'\nCHANNEL_LAYERS = {'default': {'BACKEND': 'channels.layers.InMemoryChannelLayer'}}",
    plan: several,
    found: ['sessions-per-process error', 'channel-layer-per-process error', 'cache-per-process warning'],
    fixes: ['SESSION_ENGINE = ', 'channels_redis.core.RedisChannelLayer', 'RedisCache'],
  },
  'the same in one process': {
    lines:
      "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\nCHANNEL_LAYERS = {'default': {'BACKEND': 'channels.layers.InMemoryChannelLayer'}}",
    found: [],
  },
  'sessions in files': {
    lines: "SESSION_ENGINE = 'django.contrib.sessions.backends.file'",
    plan: several,
    found: ['sessions-in-files warning', 'cache-per-process note'],
  },
  'SQLite as startproject has it': {
    lines: noMigrations + sqlite(),
    found: ['sqlite-locking warning'],
    fixes: ['"timeout": 20'],
  },
  'SQLite with several processes': {
    lines: noMigrations + sqlite(),
    plan: several,
    found: ['sqlite-locking warning', 'sqlite-several-processes warning', 'cache-per-process note'],
  },
  'SQLite that is well set': { lines: noMigrations + goodSqlite, found: [] },
  'the same with several processes': {
    lines: noMigrations + goodSqlite,
    plan: several,
    found: ['cache-per-process note', 'sqlite-several-processes note'],
  },
  'migrations, and no database yet': {
    lines: goodSqlite,
    found: ['migrations-unapplied warning'],
    fixes: ['/python manage.py migrate'],
  },
  'a database that is none': {
    lines: noMigrations + goodSqlite,
    files: { db: 'this is no database, though it is long enough to be read as the head of one' },
    found: ['database-unreachable error'],
  },
  'a new connection for each request': {
    lines: noMigrations + network("'CONN_MAX_AGE': 0"),
    files: backend,
    found: ['conn-max-age-zero note'],
    fixes: ['"CONN_MAX_AGE": 60'],
  },
  'connections that are kept, under ASGI': {
    lines: noMigrations + network("'CONN_MAX_AGE': 60"),
    files: backend,
    settings: { interface: 'asgi' },
    found: ['conn-max-age-asgi warning'],
  },
  'more threads than connections during a reload': {
    lines: noMigrations + network("'CONN_MAX_AGE': 60"),
    files: backend,
    plan: { threads: 20 },
    found: ['database-connections warning'],
    fixes: ['--threads 15'],
  },
  'more threads than connections': {
    lines: noMigrations + network("'CONN_MAX_AGE': 60"),
    files: backend,
    plan: { threads: 31 },
    found: ['database-connections error'],
  },
  'a pool that is smaller than the threads': {
    lines: noMigrations + network("'OPTIONS': {'pool': {'max_size': 10}}"),
    files: backend,
    plan: { threads: 31 },
    found: [],
  },
  'a pool that is larger than the limit': {
    lines: noMigrations + network("'OPTIONS': {'pool': {'max_size': 20}}"),
    files: backend,
    plan: { threads: 31 },
    found: ['database-connections warning'],
    fixes: ['"max_size": 15'],
  },
  'a pool under ASGI, in each of the processes': {
    lines: noMigrations + network("'OPTIONS': {'pool': {'max_size': 20}}"),
    files: backend,
    settings: { interface: 'asgi' },
    plan: several,
    found: ['database-connections error', 'cache-per-process note'],
    fixes: ['"max_size": 3'],
  },
  'a pool beside connections that are kept': {
    lines: noMigrations + network("'CONN_MAX_AGE': 60, 'OPTIONS': {'pool': True}"),
    files: backend,
    found: ['database-unreachable error'],
  },
  'two databases of one server': {
    lines: `${noMigrations + network("'CONN_MAX_AGE': 60")}\nDATABASES['replica'] = {**DATABASES['default']}`,
    files: backend,
    plan: { threads: 10 },
    found: ['database-connections warning'],
    fixes: ['--threads 7'],
  },
  'two databases of two servers': {
    lines: `${noMigrations + network("'CONN_MAX_AGE': 60")}\nDATABASES['replica'] = {**DATABASES['default'], 'HOST': 'second'}`,
    files: backend,
    plan: { threads: 10 },
    found: [],
  },
  'a database that gives no answer, beside one that does': {
    lines: `${noMigrations + network("'CONN_MAX_AGE': 60")}
DATABASES['stuck'] = {'ENGINE': 'planted.stuck', 'CONN_MAX_AGE': 60}
import sys
if 'easyserve_django_examination' in sys.modules:
    sys.modules['easyserve_django_examination'].LONGEST_SECONDS = 5`,
    files: {
      ...backend,
      'planted/stuck/__init__.py': '',
      'planted/stuck/base.py': `import threading
from planted.backend import base
class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, params):
        threading.Event().wait()
`,
    },
    plan: { threads: 20 },
    found: ['database-unreachable error', 'database-connections warning'],
  },
  'uploads in the folder of the project': {
    lines: 'MEDIA_ROOT = BASE_DIR',
    found: ['folder-holds-project error'],
    fixes: ['MEDIA_ROOT = BASE_DIR / "media" in planted.settings'],
  },
  'static files in the folder of the project': {
    lines: 'STATIC_ROOT = BASE_DIR.parent',
    found: ['folder-holds-project error'],
  },
  'files of WhiteNoise in the folder of the project': {
    lines: 'WHITENOISE_ROOT = BASE_DIR',
    found: ['folder-holds-project error'],
  },
  'uploads among the static files': {
    lines: "MEDIA_ROOT = STATIC_ROOT / 'uploads'",
    found: ['media-in-static error'],
  },
  'static files among the uploads': {
    lines: "STATIC_ROOT = MEDIA_ROOT / 'static'",
    found: ['media-in-static error'],
  },
  'uploads that collectstatic would collect': {
    lines: "STATICFILES_DIRS = [BASE_DIR / 'planted']\nMEDIA_ROOT = BASE_DIR / 'planted' / 'media'",
    found: ['media-in-static error'],
  },
  'static folders that are not there': {
    lines: "STATICFILES_DIRS = [BASE_DIR / 'assets', ('docs', BASE_DIR / 'pages')]",
    found: ['static-dir-missing warning', 'static-dir-missing warning'],
    fixes: ['mkdir -p ', 'mkdir -p '],
  },
  'forms that are larger than what the front lets through': {
    lines: 'DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 500_000_000',
    found: ['upload-limits warning', 'upload-limits warning'],
    fixes: ['maxBodyBytes = 500000000 in easyserve.toml'],
  },
  'a time zone that nobody has set': {
    lines: 'del TIME_ZONE',
    found: ['time-zone-unset note'],
    fixes: ['TIME_ZONE = "UTC" in planted.settings'],
  },
  'times of the clock on the wall': {
    lines: "USE_TZ = False\nTIME_ZONE = 'Europe/Berlin'",
    found: ['time-zone-naive note'],
  },
  'no hosts, with a domain': {
    lines: 'ALLOWED_HOSTS = []\nSESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True',
    settings: { domains: ['shop.example.org'], hsts: 'on' },
    found: ['allowed-hosts-empty error'],
    fixes: ['ALLOWED_HOSTS = ["shop.example.org"] in planted.settings'],
  },
  'errors that are written nowhere': {
    lines: 'LOGGING = {}',
    found: ['errors-not-logged warning'],
  },
};

for (const [name, planted] of Object.entries(faults)) {
  test(`planted: ${name}`, async (t) => {
    const findings = await look(makeTempDir(t), planted);
    assert.deepEqual(
      findings.map(({ name, severity }) => `${name} ${severity}`),
      planted.found,
      JSON.stringify(findings, undefined, 2),
    );
    for (const [index, fix] of (planted.fixes ?? []).entries()) {
      assert.ok(findings[index]?.fix.includes(fix), findings[index]?.fix);
    }
    for (const { message } of findings) assert.doesNotMatch(message, /\n/);
  });
}

test('a settings file that holds a secret is told, and none of what only sounds like one', async (t) => {
  const secretsIn = async (lines: string) => {
    const root = plantProject(makeTempDir(t), lines);
    return (await detectDjango(root)).django.deployment?.secretFiles?.map((path) => relative(root, path));
  };
  const none = "PASSWORD_RESET_URL = '/accounts/reset/'\nTOKEN_MODEL = 'planted.Token'";
  assert.deepEqual(await secretsIn(none), []);
  for (const line of [
    "EMAIL_HOST_PASSWORD = 'correct horse'",
    "SECRET_KEY = 'battery staple'",
    "AWS_SECRET_ACCESS_KEY = b'correct horse'",
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db', 'PASSWORD': 'correct horse'}}",
  ]) {
    assert.deepEqual(await secretsIn(line), ['planted/settings.py'], line);
  }
});

/** On a machine that is in order; reached from this machine only, unless the settings say otherwise. */
async function look(dir: string, { lines, files, settings, plan }: Planted): Promise<readonly Finding[]> {
  const root = join(dir, 'site');
  mkdirSync(root);
  plantProject(root, lines, files);
  const all = { host: '127.0.0.1', ...settings };
  const { interface: wished = 'auto', scriptName = '' } = all;
  const project = await detectDjango(root, {
    examine: true,
    settings: { interface: wished, scriptName },
    withDjango: () => ({ interface: wished, server: 'auto', cheroot: {}, transport: 'auto' }),
  });
  return runChecks(makeSubject({ project, settings: all, plan: { threads: 10, ...plan } }));
}
