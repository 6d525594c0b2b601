import { type Check, djangoCheck } from '../check.js';

/** Of static files. */
export const fileChecks: readonly Check[] = [
  djangoCheck({
    name: 'static-entry-missing',
    severity: 'error',
    doc: 'A template asks for a static file that `staticfiles.json` will not have, so its pages fail',
    find: ({ project: { django }, settings: { collect } }) =>
      (django.staticMissing ?? [])
        .filter(({ isFound }) => !isFound || collect === 'never')
        .map(({ name, template, isFound }) => ({
          message: `${template} asks for the static file ${name}, and the manifest has no entry for it: its pages fail.`,
          fix: isFound
            ? 'python manage.py collectstatic --noinput'
            : `add ${name} to a static folder, or take it out of ${template}`,
        })),
  }),
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
