import { wantsHttps } from '../../settings/settings.js';
import { type Check, type DjangoSubject, djangoCheck, type Fault } from '../check.js';
import { believesProxies } from '../front-facts.js';

const trustFix = 'trustedProxies = ["127.0.0.1"] in easyserve.toml, with the address of your proxy';
const httpsFix = `without a proxy: easyserve start --domain www.example.org; behind one: ${trustFix}`;

/** What Django believes of the TLS and the proxy in front, and what reaches it. */
export const proxyChecks: readonly Check[] = [
  djangoCheck({
    name: 'proxy-not-trusted',
    severity: 'error',
    doc: '`SECURE_SSL_REDIRECT` or `SECURE_PROXY_SSL_HEADER`, without HTTPS and without `trustedProxies`',
    find(subject) {
      const { django } = subject.project;
      if (isSecured(subject)) return [];
      if (django.redirectsToHttps) {
        const message =
          'SECURE_SSL_REDIRECT is on, and no request counts as https here: visitors are redirected without an end.';
        return [{ message, fix: httpsFix }];
      }
      if (!django.deployment?.security?.hasProxyHeader) return [];
      const message =
        'SECURE_PROXY_SSL_HEADER waits for the header of a proxy that is not trusted: Django takes https for http, and refuses forms (CSRF, 403).';
      return [{ message, fix: trustFix }];
    },
  }),
  djangoCheck({
    name: 'proxy-header-unknown',
    severity: 'warning',
    doc: '`SECURE_PROXY_SSL_HEADER` names a header that `proxyHeaders` does not',
    find(subject) {
      if (!believesProxies(subject)) return [];
      const { settings, project } = subject;
      const known = settings.proxyHeaders.map((name) => name.toLowerCase());
      return Object.keys(project.django.secureProxyHeaders)
        .filter((name) => !known.includes(name))
        .map((name) => ({
          message: `SECURE_PROXY_SSL_HEADER goes by ${name}, which is not among proxyHeaders, so it is not known to come from the proxy.`,
          fix: `proxyHeaders = ${JSON.stringify([...settings.proxyHeaders, name])} in easyserve.toml`,
        }));
    },
  }),
  djangoCheck({
    name: 'secure-cookies-lost',
    severity: 'warning',
    doc: '`SESSION_COOKIE_SECURE` or `CSRF_COOKIE_SECURE`, without HTTPS and without `trustedProxies`',
    find(subject) {
      const names = subject.project.django.deployment?.security?.secureCookies ?? [];
      if (names.length === 0 || isSecured(subject)) return [];
      const message = `${names.join(' and ')}: browsers keep these cookies to https, and every request counts as http here, so nobody can sign in or send a form.`;
      return [{ message, fix: httpsFix }];
    },
  }),
  djangoCheck({
    name: 'csrf-origins',
    severity: 'warning',
    doc: '`CSRF_TRUSTED_ORIGINS` has origins of the other scheme than the one that visitors come by',
    find: findOrigins,
  }),
  djangoCheck({
    name: 'script-name-differs',
    severity: 'error',
    doc: '`FORCE_SCRIPT_NAME` without the `scriptName` that goes with it',
    find({ settings, project: { django } }) {
      const forced = `/${django.deployment?.security?.forceScriptName ?? ''}`.replace(/\/+/g, '/');
      const prefix = forced.replace(/\/$/, '');
      if (prefix === '' || prefix === settings.scriptName.replace(/\/$/, '')) return [];
      const mounted =
        settings.scriptName === '' ? 'scriptName is not set' : `scriptName is ${settings.scriptName}`;
      return [
        {
          message: `FORCE_SCRIPT_NAME is ${prefix} and ${mounted}: links lead to addresses that Django does not find below it.`,
          fix: `scriptName = ${JSON.stringify(prefix)} in easyserve.toml`,
        },
      ];
    },
  }),
];

// Private

/** Whether requests can count as https here: easyserve does TLS, or believes the proxy that does. */
function isSecured(subject: DjangoSubject): boolean {
  return wantsHttps(subject.settings) || believesProxies(subject);
}

/** Django compares the Origin of a form with the list, scheme and all (CsrfViewMiddleware). */
function findOrigins(subject: DjangoSubject): readonly Fault[] {
  const { settings, project } = subject;
  const security = project.django.deployment?.security;
  if (security === undefined || !security.hasCsrf) return [];
  const origins = security.csrfTrustedOrigins;
  const ofScheme = (scheme: string): readonly string[] =>
    origins.filter((origin) => origin.toLowerCase().startsWith(`${scheme}://`));
  const isHttps = wantsHttps(settings);
  if (!isHttps && !isSecured(subject) && ofScheme('https').length > 0) {
    const message = `CSRF_TRUSTED_ORIGINS has ${ofScheme('https').join(', ')}, so TLS ends in front, and every request counts as http here.`;
    return [{ message, fix: trustFix }];
  }
  const secure = ofScheme('https').map((origin) => origin.slice('https'.length));
  const plain = ofScheme('http').filter((origin) => !secure.includes(origin.slice('http'.length)));
  if (!isHttps || plain.length === 0) return [];
  const better = plain.map((origin) => `"https${origin.slice('http'.length)}"`).join(', ');
  return [
    {
      message: `CSRF_TRUSTED_ORIGINS has ${plain.join(', ')}, and visitors come by https: forms from there are refused with 403.`,
      fix: `CSRF_TRUSTED_ORIGINS = [${better}] in ${project.settingsModule}`,
    },
  ];
}
