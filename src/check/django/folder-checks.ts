import { relative, resolve } from 'node:path';
import { type Check, type DjangoSubject, djangoCheck, type Fault } from '../check.js';

/** Where uploads and static files lie. */
export const folderChecks: readonly Check[] = [
  djangoCheck({
    name: 'folder-holds-project',
    severity: 'error',
    doc: '`MEDIA_ROOT`, `STATIC_ROOT` or `WHITENOISE_ROOT` is the folder of the project, or one around it',
    find: (subject) =>
      rootsOf(subject)
        .filter(({ folder }) => isWithin(subject.project.root, folder))
        .map(({ name, folder }) => ({
          message: `${name} is ${folder}, which holds the project's own code: it is not served, or everybody could read the settings.`,
          fix: `${name} = BASE_DIR / "${name.replace('_ROOT', '').toLowerCase()}" in ${subject.project.settingsModule}`,
        })),
  }),
  djangoCheck({
    name: 'media-in-static',
    severity: 'error',
    doc: '`MEDIA_ROOT` and `STATIC_ROOT`, or a folder of `STATICFILES_DIRS`, lie in each other',
    find: findMixed,
  }),
  djangoCheck({
    name: 'static-dir-missing',
    severity: 'warning',
    doc: 'A folder of `STATICFILES_DIRS` that does not exist',
    find: ({ project }) =>
      (project.django.deployment?.folders?.missingStaticDirs ?? []).map((folder) => ({
        message: `STATICFILES_DIRS has ${folder}, which does not exist: its files are missing from the site.`,
        fix: `mkdir -p ${folder}, or take it out of STATICFILES_DIRS in ${project.settingsModule}`,
      })),
  }),
  djangoCheck({
    name: 'upload-limits',
    severity: 'warning',
    doc: 'Django would take larger requests than `maxBodyBytes` lets through, or keeps whole uploads in memory',
    find: findUploadLimits,
  }),
];

// Private

interface Root {
  readonly name: string;
  readonly folder: string;
}

function rootsOf({ project }: DjangoSubject): readonly Root[] {
  const { mediaRoot, staticRoot, whitenoiseRoot } = project.django.deployment?.folders ?? {};
  const named = { MEDIA_ROOT: mediaRoot, STATIC_ROOT: staticRoot, WHITENOISE_ROOT: whitenoiseRoot };
  return Object.entries(named).flatMap(([name, folder]) => (folder === undefined ? [] : [{ name, folder }]));
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || !(way === '..' || way.startsWith('../'));
}

/** A folder around the project holds everything, and is a finding of its own. */
function findMixed(subject: DjangoSubject): readonly Fault[] {
  const { project } = subject;
  const { mediaRoot, staticDirs = [] } = project.django.deployment?.folders ?? {};
  if (mediaRoot === undefined || isWithin(project.root, mediaRoot)) return [];
  const others = [
    ...rootsOf(subject).filter(({ name }) => name === 'STATIC_ROOT'),
    ...staticDirs.map((folder) => ({ name: 'STATICFILES_DIRS', folder })),
  ].filter(({ folder }) => !isWithin(project.root, folder));
  const fix = `MEDIA_ROOT = BASE_DIR / "media" in ${project.settingsModule}, beside the static files`;
  return others.flatMap(({ name, folder }) => {
    if (isWithin(mediaRoot, folder)) {
      const message = `MEDIA_ROOT (${mediaRoot}) lies in ${name} (${folder}): uploads are served as static files, and collectstatic --clear deletes them.`;
      return [{ message, fix }];
    }
    if (!isWithin(folder, mediaRoot)) return [];
    const message = `${name} (${folder}) lies in MEDIA_ROOT (${mediaRoot}): an upload can take the place of a static file.`;
    return [{ message, fix }];
  });
}

function findUploadLimits({ settings, project }: DjangoSubject): readonly Fault[] {
  const uploads = project.django.deployment?.uploads;
  if (uploads === undefined) return [];
  const { requestMaxBytes, fileMemoryBytes } = uploads;
  const { maxBodyBytes } = settings;
  const faults: Fault[] = [];
  if (requestMaxBytes === null) {
    faults.push({
      message: `DATA_UPLOAD_MAX_MEMORY_SIZE is None, and what is larger than maxBodyBytes (${maxBodyBytes}) gets a 413 all the same.`,
      fix: 'maxBodyBytes in easyserve.toml, where larger forms are meant to arrive',
      severity: 'note',
    });
  } else if (requestMaxBytes > maxBodyBytes) {
    faults.push({
      message: `DATA_UPLOAD_MAX_MEMORY_SIZE is ${requestMaxBytes} bytes, and maxBodyBytes ${maxBodyBytes}: what lies between gets a 413 before Django sees it.`,
      fix: `maxBodyBytes = ${requestMaxBytes} in easyserve.toml`,
    });
  }
  if (fileMemoryBytes > maxBodyBytes) {
    faults.push({
      message: `FILE_UPLOAD_MAX_MEMORY_SIZE is ${fileMemoryBytes} bytes, more than maxBodyBytes (${maxBodyBytes}) lets through: Django keeps every upload whole in memory.`,
      fix: `FILE_UPLOAD_MAX_MEMORY_SIZE = 2621440 in ${project.settingsModule}`,
    });
  }
  return faults;
}
