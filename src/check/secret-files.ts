import { dirname, join } from 'node:path';
import { djangoFactsOf } from '../contracts/project-facts.js';
import { certificateFilesOf } from '../tls/files/file-certificates.js';
import type { Check, Fault, Subject } from './check.js';

/** Bits of the mode (inode(7)) for who is neither the owner nor of the group. */
const othersRead = 0o004;
const othersWrite = 0o002;
const othersEnter = 0o001;

/** A file of this kind without a secret: it says which variables there are. */
const sample = /\.(example|sample|template|dist)$/;

export const secretFileChecks: readonly Check[] = [
  {
    name: 'secrets-readable',
    severity: 'warning',
    doc: 'Every user of the machine can read `.env`, settings with keys in them, a private key or the database (an error where they can write them)',
    isQuick: true,
    async find(subject) {
      const faults = await Promise.all((await listSecrets(subject)).map((path) => look(path, subject)));
      return faults.flat();
    },
  },
];

// Private

async function listSecrets({ project, settings, machine }: Subject): Promise<readonly string[]> {
  const django = djangoFactsOf(project);
  const names = await machine.listFolder(project.root);
  const environments = names.filter((name) => /^\.env(\.|$)/.test(name));
  // In the folder above, perhaps, or behind the link of a release.
  const read = 'python' in project ? (project.environment?.files ?? []) : [];
  const keys = certificateFilesOf(settings).flatMap(({ cert, key, passphraseFile }) => [
    key ?? cert,
    ...(passphraseFile === undefined ? [] : [passphraseFile]),
  ]);
  const { acmeEabHmacKeyFile } = settings;
  return [
    ...new Set([
      ...[...environments.map((name) => join(project.root, name)), ...read].filter(
        (path) => !sample.test(path),
      ),
      ...(django?.deployment?.secretFiles ?? []),
      ...keys,
      ...(acmeEabHmacKeyFile === null ? [] : [acmeEabHmacKeyFile]),
      ...(django?.databaseFiles ?? []),
    ]),
  ];
}

async function look(path: string, { machine }: Subject): Promise<readonly Fault[]> {
  const file = await machine.readFile(path);
  if (file === undefined || (file.mode & (othersRead | othersWrite)) === 0) return [];
  if (!(await canReach(dirname(path), machine))) return [];
  const isOwn = file.uid === machine.uid;
  const { asRoot, user } = machine;
  const group = `$(id -gn ${user})`;
  const fix = isOwn ? `chmod o= ${path}` : `${asRoot}chgrp ${group} ${path} && ${asRoot}chmod g+r,o= ${path}`;
  if ((file.mode & othersWrite) !== 0)
    return [{ message: `Every user of this machine can write ${path}.`, fix, severity: 'error' }];
  return [{ message: `Every user of this machine can read ${path}, which holds secrets of the site.`, fix }];
}

/** Whether others can enter each folder on the way. */
async function canReach(folder: string, machine: Subject['machine']): Promise<boolean> {
  const facts = await machine.readFile(folder);
  if (facts === undefined || (facts.mode & othersEnter) === 0) return false;
  const above = dirname(folder);
  return above === folder || canReach(above, machine);
}
