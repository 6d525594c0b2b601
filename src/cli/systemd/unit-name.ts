import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import { siteName } from '../../project/site-name.js';
import type { UnitFolder } from './unit-folder.js';

/** systemd.unit(5), without the characters that escape a path, make a template, or divide StateDirectory=. */
const allowed = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/;

/**
 * The name of a project's units, without their ending: the one that was given, else that of the units that the folder has
 * already, else one that is free.
 */
export function unitName(projectDir: string, given: string | undefined, folder: UnitFolder): string {
  if (given !== undefined) return requireAllowed(given.replace(/\.service$/, ''));
  const installed = folder.nameOf(projectDir);
  if (installed !== undefined) return installed;
  const name = requireAllowed(`easyserve-${siteName(projectDir).replace(/[^\w.-]+/g, '-')}`);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (folder.unitsOf(candidate).length === 0) return candidate;
  }
}

// Private

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
