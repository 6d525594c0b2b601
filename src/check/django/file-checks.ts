import { type Check, djangoCheck } from '../check.js';

/** Of static files. */
export const fileChecks: readonly Check[] = [
  djangoCheck({
    name: 'whitenoise-ignored',
    severity: 'note',
    doc: 'A setting of WhiteNoise has no effect, because easyserve sends the static files',
    find: ({ project: { django, settingsModule }, settings: { serveStatic } }) => {
      const ignored = (serveStatic && django.whitenoise?.ignored) || [];
      return ignored.map((name) => ({
        message: `${name} has no effect: easyserve sends the static files.`,
        fix: `take ${name} out of ${settingsModule}`,
      }));
    },
  }),
];
