import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isGivable } from '../privileges/adoption/rights-plan.js';
import {
  tryToWrite,
  type WriteFailure,
  type WrittenPlace,
  writtenPlaces,
} from '../project/written-places.js';
import type { Check, Fault, Subject } from './check.js';

/** Whether the user of the site may do what the application does; this process acts as that user. */
export const accessChecks: readonly Check[] = [
  {
    name: 'not-writable',
    severity: 'error',
    doc: 'A database, `MEDIA_ROOT`, `STATIC_ROOT`, a log or a cache that the user of the site may not write',
    isQuick: true,
    async find(subject) {
      const faults: Fault[] = [];
      for (const place of writtenPlaces(subject.project, subject.settings)) {
        const failure = await tryToWrite(place);
        // Of STATIC_ROOT on a read-only file system the start says more.
        if (failure?.code === 'EROFS' && place.name === 'STATIC_ROOT') continue;
        if (failure !== undefined) faults.push(describe(place, failure, subject));
      }
      return faults;
    },
  },
];

// Private

function describe(place: WrittenPlace, failure: WriteFailure, subject: Subject): Fault {
  const { name, path } = place;
  const { project, machine } = subject;
  const { user, asRoot } = machine;
  const where = failure.path === path ? '' : ` in ${failure.path}`;
  const message = `The user ${user} may not write ${name} ${path}${where} (${failure.code}).`;
  if (failure.code === 'EROFS') {
    const fix = 'a volume for what is written: docker run -v, or volumeMounts in a pod';
    return { message, severity: 'warning', fix };
  }
  const isRoots = lstatSync(project.root, { throwIfNoEntry: false })?.uid === 0;
  return {
    message,
    fix: isRoots
      ? `${asRoot}easyserve adopt ${project.root} --user ${user}`
      : `${asRoot}${fixAccess(place, failure, subject)}`,
  };
}

/** Never gives away a folder that others have something in, least of all with all that is below it. */
function fixAccess(
  { kind, path }: WrittenPlace,
  failure: WriteFailure,
  { project: { root }, machine: { user } }: Subject,
): string {
  const folder = kind === 'folder' ? path : dirname(path);
  if (kind === 'file' && failure.path === path) return `chown ${user} ${path}`;
  if (folder !== root && !isGivable(folder, root)) {
    const own = `/srv/${basename(root)}-data`;
    return `install -d -o ${user} ${own}, and in the settings ${join(own, basename(path))}`;
  }
  return failure.path === folder ? `chown -R ${user} ${folder}` : `install -d -o ${user} ${folder}`;
}
