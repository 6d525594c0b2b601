import type { DjangoMessage } from '../../contracts/deployment-facts.js';
import { wantsHttps } from '../../settings/settings.js';
import { type Check, type DjangoSubject, djangoCheck } from '../check.js';
import type { Severity } from '../finding.js';
import { isLocal, isServedByHttps } from '../front-facts.js';

/** Ids that a check of ours says better; see Check.djangoIds. */
const saidByOthers = new Set([
  'security.W009',
  'security.W018',
  'security.W020',
  'security.W025',
  'staticfiles.W004',
]);
/** Only a site that is served by https can follow them: without it nobody could sign in. To one on the internet they are notes. */
const ofHttps = new Set([
  'security.W004',
  'security.W005',
  'security.W008',
  'security.W010',
  'security.W011',
  'security.W012',
  'security.W016',
  'security.W021',
]);

/** Django's own `check --deploy`, merged in: what the front does by itself is left out. */
export const deployChecks: readonly Check[] = [
  djangoCheck({
    name: 'django',
    severity: 'warning',
    doc: "What Django's own `check --deploy` says, each under its id: `django.security.W004`. It has Django's severity",
    isQuick: false,
    find: (subject) =>
      (subject.project.django.examination?.messages ?? [])
        .filter((message) => isOfUse(message, subject))
        .map((message) => ({
          name: message.id === '' ? 'django' : `django.${message.id}`,
          severity: severityOf(message, subject),
          message: firstSentence(message.message),
          fix: fixOf(message, subject),
        })),
  }),
  djangoCheck({
    name: 'django-checks-failed',
    severity: 'warning',
    doc: "Django's own checks could not be run, or did not end",
    isQuick: false,
    find({ project: { django } }) {
      const { examination } = django;
      if (examination === undefined) return [];
      const fix = 'python manage.py check --deploy';
      if (examination.failure !== undefined)
        return [{ message: `Django's own checks failed: ${examination.failure}`, fix }];
      if (examination.isComplete) return [];
      return [{ message: "Django's own checks did not end in time.", fix }];
    },
  }),
];

// Private

function isOfUse(message: DjangoMessage, subject: DjangoSubject): boolean {
  const { id } = message;
  if (saidByOthers.has(id) || isDoneByFront(id, subject)) return false;
  return !lacksHttps(message, subject) || !isLocal(subject);
}

function lacksHttps({ id }: DjangoMessage, subject: DjangoSubject): boolean {
  return ofHttps.has(id) && !isServedByHttps(subject);
}

function isDoneByFront(id: string, { settings }: DjangoSubject): boolean {
  const { securityHeaders, hsts, redirectToHttps } = settings;
  const isHttps = wantsHttps(settings);
  const sends = (header: string): boolean =>
    Object.keys(securityHeaders).some((name) => name.toLowerCase() === header);
  if (id === 'security.W002') return sends('x-frame-options');
  if (id === 'security.W006') return sends('x-content-type-options');
  if (id === 'security.W022') return sends('referrer-policy');
  if (id === 'security.W008') return isHttps && redirectToHttps;
  return id === 'security.W004' && isHttps && hsts !== 'off';
}

/** Python's levels of logging (django.core.checks.messages). */
function severityOf(message: DjangoMessage, subject: DjangoSubject): Severity {
  if (message.level >= 40) return 'error';
  return message.level >= 30 && !lacksHttps(message, subject) ? 'warning' : 'note';
}

/** What follows is advice for every project of the world; the fix says what to do in this one. */
function firstSentence(text: string): string {
  return /^.*?[.!?](?= [A-Z]|$)/.exec(text)?.[0] ?? text;
}

const fixes: Readonly<Record<string, string>> = {
  'security.W001': '"django.middleware.security.SecurityMiddleware" as the first of MIDDLEWARE',
  'security.W003': '"django.middleware.csrf.CsrfViewMiddleware" in MIDDLEWARE',
  'security.W004': 'SECURE_HSTS_SECONDS = 3600',
  'security.W005': 'SECURE_HSTS_INCLUDE_SUBDOMAINS = True',
  'security.W008': 'SECURE_SSL_REDIRECT = True',
  'security.W010': 'SESSION_COOKIE_SECURE = True',
  'security.W011': 'SESSION_COOKIE_SECURE = True',
  'security.W012': 'SESSION_COOKIE_SECURE = True',
  'security.W013': 'SESSION_COOKIE_HTTPONLY = True',
  'security.W014': 'SESSION_COOKIE_HTTPONLY = True',
  'security.W015': 'SESSION_COOKIE_HTTPONLY = True',
  'security.W016': 'CSRF_COOKIE_SECURE = True',
  'security.W019': 'X_FRAME_OPTIONS = "DENY", where no page is shown in a frame',
  'security.W021': 'SECURE_HSTS_PRELOAD = True',
  'models.W042': 'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"',
};

function fixOf(message: DjangoMessage, subject: DjangoSubject): string {
  const { id, hint } = message;
  const module = subject.project.settingsModule;
  const known = id === 'security.W004' ? `hsts = "ramp" in easyserve.toml, or ${fixes[id]}` : fixes[id];
  if (known === undefined) return hint ?? 'python manage.py check --deploy tells more';
  const first = lacksHttps(message, subject) ? 'first HTTPS, as with --domain www.example.org; then ' : '';
  const other = id === 'security.W008' ? ', or let the proxy redirect' : '';
  return `${first}${known} in ${module}${other}`;
}
