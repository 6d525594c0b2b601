import { basename } from 'node:path';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';

/** systemd.unit(5), without the characters that escape a path, make a template, or divide StateDirectory=. */
const allowed = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/;

/** The name of a project's units, without their ending: the one that was given, else by the folder. */
export function unitName(projectDir: string, given: string | undefined): string {
  const name =
    given?.replace(/\.service$/, '') ?? `easyserve-${basename(projectDir).replace(/[^\w.-]+/g, '-')}`;
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
