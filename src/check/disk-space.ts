import { tmpdir } from 'node:os';
import { djangoFactsOf } from '../contracts/project-facts.js';
import type { Check, Fault, Subject } from './check.js';
import type { DiskSpace } from './machine.js';

/** A log, an upload or a database fills less in no time. */
const leastBytes = 256 * 1024 * 1024;
const leastFiles = 1000;

export const diskChecks: readonly Check[] = [
  {
    name: 'disk-nearly-full',
    severity: 'warning',
    doc: 'Little is free on a disk that the site writes to: less than 256 MiB, less than `spoolMinFreePercent`, or hardly a file more',
    isQuick: false,
    find: findFull,
  },
];

// Private

async function findFull({ project, settings, machine }: Subject): Promise<readonly Fault[]> {
  const media = djangoFactsOf(project)?.mediaRoot;
  const paths = [project.root, ...(media === undefined ? [] : [media]), tmpdir()];
  const faults = new Map<string, Fault>();
  for (const path of paths) {
    const disk = await machine.readDisk(path);
    if (disk === undefined) continue;
    const lack = describeLack(disk, settings.spoolMinFreePercent);
    // Two paths on one disk have the same figures.
    const disks = JSON.stringify(disk);
    if (lack === undefined || faults.has(disks)) continue;
    const message = `The disk of ${path} has ${lack}.`;
    faults.set(disks, {
      message,
      fix: `df -h ${path} and du -xh ${path} | sort -h | tail show what fills it`,
    });
  }
  return [...faults.values()];
}

function describeLack(
  { freeBytes, totalBytes, freeFiles }: DiskSpace,
  leastPercent: number,
): string | undefined {
  const mebibytes = Math.floor(freeBytes / 1024 / 1024);
  if (freeBytes < leastBytes) return `${mebibytes} MiB left`;
  const percent = (100 * freeBytes) / totalBytes;
  if (percent < leastPercent) {
    return `${percent.toFixed(1)} % left: below spoolMinFreePercent (${leastPercent} %) large uploads get a 507`;
  }
  return freeFiles !== undefined && freeFiles < leastFiles ? `room for ${freeFiles} files more` : undefined;
}
