import type { Settings } from '../../settings/settings.js';
import { type Check, djangoCheck } from '../check.js';

/** To stderr, and so into easyserve's log (docs/logs.md). */
const simpleLogging =
  'LOGGING = {"version": 1, "disable_existing_loggers": False, "handlers": {"stderr": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["stderr"]}}';

export const debugChecks: readonly Check[] = [
  djangoCheck({
    name: 'debug-on',
    severity: 'warning',
    doc: '`DEBUG` is on',
    djangoIds: ['security.W018'],
    find({ project: { django, settingsModule }, settings }) {
      if (!django.isDebug) return [];
      // DEBUG alone, with ALLOWED_HOSTS empty, would be the next finding.
      const fix = django.allowedHosts.length > 0 ? 'DEBUG = False' : `DEBUG = False and ${hostsOf(settings)}`;
      return [
        {
          message: 'DEBUG is on: error pages show the code and the settings of the site.',
          fix: django.productionSettings
            ? `easyserve start --set settingsModule=${django.productionSettings}`
            : `${fix} in ${settingsModule}`,
        },
      ];
    },
  }),
  djangoCheck({
    name: 'allowed-hosts-empty',
    severity: 'error',
    doc: '`ALLOWED_HOSTS` is empty, and `DEBUG` off',
    djangoIds: ['security.W020'],
    find: ({ project: { django, settingsModule }, settings }) =>
      django.isDebug || django.allowedHosts.length > 0
        ? []
        : [
            {
              message: 'ALLOWED_HOSTS is empty: Django answers every request with 400.',
              fix: `${hostsOf(settings)} in ${settingsModule}`,
            },
          ],
  }),
  djangoCheck({
    name: 'errors-not-logged',
    severity: 'warning',
    doc: '`LOGGING` writes the tracebacks of failed requests nowhere',
    find: ({ project: { django, settingsModule } }) =>
      django.isDebug || django.logsErrors
        ? []
        : [
            {
              message: 'LOGGING writes no errors: with DEBUG off, Django only mails tracebacks to ADMINS.',
              fix: `${simpleLogging} in ${settingsModule}`,
            },
          ],
  }),
];

// Private

function hostsOf({ domains }: Settings): string {
  return `ALLOWED_HOSTS = ${JSON.stringify(domains.length > 0 ? domains : ['www.example.org'])}`;
}
