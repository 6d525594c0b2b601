import { basename, dirname } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { UnitFolder } from './unit-folder.js';

/** systemd.unit(5), without the characters that escape a path, make a template, or divide StateDirectory=. */
const allowed = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/;

/** Folders that many sites have: the one above tells them apart. */
const usual: ReadonlySet<string> = new Set(
  'app apps backend code current django htdocs html latest live main mysite prod production project public repo server site source src web webapp website www'.split(
    ' ',
  ),
);

/**
 * The name of a project's units, without their ending: the one that was given, else that of the units that the folder has
 * already, else one that is free.
 */
export function unitName(projectDir: string, given: string | undefined, folder: UnitFolder): string {
  if (given !== undefined) return requireAllowed(given.replace(/\.service$/, ''));
  const installed = folder.nameOf(projectDir);
  if (installed !== undefined) return installed;
  const name = requireAllowed(`easyserve-${folderName(projectDir)}`);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (folder.unitsOf(candidate).length === 0) return candidate;
  }
}

// Private

/** Where sites are kept, and so no site's name. */
const shelves: ReadonlySet<string> = new Set(['', 'home', 'mnt', 'opt', 'root', 'srv', 'var', 'www']);

/** `shop` for /srv/shop and for /srv/shop/current. */
function folderName(projectDir: string): string {
  const [name, above] = [basename(projectDir), basename(dirname(projectDir))];
  const chosen = usual.has(name.toLowerCase()) && !shelves.has(above) ? above : name;
  return chosen.replace(/[^\w.-]+/g, '-');
}

function requireAllowed(name: string): string {
  if (allowed.test(name)) return name;
  throw new EasyserveError(
    'unit-name',
    ExitCode.usage,
    `${JSON.stringify(name)} is no name for a systemd unit.`,
    {
      hint: 'letters, digits, and _ . - between them: easyserve install --name mysite',
    },
  );
}
