import { lstatSync } from 'node:fs';
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

function describe(
  { name, path }: WrittenPlace,
  failure: WriteFailure,
  { project, machine: { user, asRoot } }: Subject,
): Fault {
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
      : `${asRoot}chown -R ${user} ${failure.path}`,
  };
}
