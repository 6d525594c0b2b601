import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import { readFileBytes } from '../contracts/read-file.js';
import { translateArguments } from './foreign-arguments.js';
import { quote } from './text/typed-command.js';

/** Throws ApplicationError where a file was named in place of the folder, with the line that serves it. */
export function refuseFile(path: string, here: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const folder = dirname(path);
  const place = folder === here ? '' : ` ${quote(folder)}`;
  throw new ApplicationError(
    'project-missing',
    `${path} is a file; easyserve is given the project's folder.`,
    {
      hint: `easyserve start${place}${nameFile(path)}`,
    },
  );
}

/** Throws ApplicationError where an application or an address was named in place of the folder, which is not there. */
export function refuseOperand(typed: string | undefined, path: string): void {
  if (typed === undefined || existsSync(path)) return;
  const meant = translateArguments(['start', typed]);
  if (meant === undefined) return;
  throw new ApplicationError('project-missing', `There is no folder ${path}.`, {
    hint: ['easyserve', ...meant].join(' '),
  });
}

// Private

function nameFile(path: string): string {
  const name = basename(path);
  const extension = extname(name);
  if (name === 'manage.py') return '';
  if (extension === '.py')
    return ` --set app=${quote(`${name.slice(0, -extension.length)}:${nameApplication(path)}`)}`;
  if (/^\.[cm]?[jt]s$/.test(extension)) return ` --set app=${quote(name)}`;
  return ['.toml', '.yaml', '.yml', '.json'].includes(extension) ? ` --config ${quote(path)}` : '';
}

/** By the usual names, in plain text: nothing is run. */
function nameApplication(path: string): string {
  const text = readText(path);
  const variable = /^(application|app)\b\s*[:=]/m.exec(text)?.[1];
  const factory = /^(?:async )?def (create_app|make_app)\b/m.exec(text)?.[1];
  return variable ?? (factory === undefined ? 'app' : `${factory}()`);
}

function readText(path: string): string {
  try {
    return readFileBytes(path).toString('utf8');
  } catch {
    return '';
  }
}
