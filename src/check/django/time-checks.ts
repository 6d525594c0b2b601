import { type Check, djangoCheck } from '../check.js';

export const timeChecks: readonly Check[] = [
  djangoCheck({
    name: 'time-zone-unknown',
    severity: 'error',
    doc: "Python doesn't find `TIME_ZONE` on this machine",
    find({ project: { django } }) {
      const time = django.deployment?.time;
      if (time === undefined || time.isKnown) return [];
      const message = `Python finds no time zone ${time.zone} on this machine: pages with a date fail.`;
      return [{ message, fix: 'python -m pip install tzdata, or apt-get install tzdata' }];
    },
  }),
  djangoCheck({
    name: 'time-zone-unset',
    severity: 'note',
    doc: '`TIME_ZONE` is not set, so that it is the one of Chicago',
    find({ project: { django, settingsModule } }) {
      const time = django.deployment?.time;
      if (time === undefined || time.isSet) return [];
      const message = `TIME_ZONE is not set: Django takes ${time.zone}.`;
      return [{ message, fix: `TIME_ZONE = "UTC" in ${settingsModule}` }];
    },
  }),
  djangoCheck({
    name: 'time-zone-naive',
    severity: 'note',
    doc: '`USE_TZ` is off in a zone with summer time: dates are kept as the clock on the wall shows them',
    find({ project: { django, settingsModule } }) {
      const time = django.deployment?.time;
      if (time === undefined || time.usesZones || /^(UTC|GMT|Etc\/.+)$/.test(time.zone)) return [];
      const message = `USE_TZ is off: dates are kept in the time of ${time.zone}, which has one hour twice each autumn.`;
      return [{ message, fix: `USE_TZ = True in ${settingsModule}` }];
    },
  }),
];
