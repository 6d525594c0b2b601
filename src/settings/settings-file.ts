import { basename, extname, isAbsolute, relative, resolve } from 'node:path';
import { SettingsError } from '../contracts/errors.js';
import { readFileBytes } from '../contracts/read-file.js';
import { type FileEntry, FileSyntaxError } from './file-entry.js';
import { suggestLine } from './suggest-line.js';
import { readToml } from './toml-file.js';
import { readJson, readYaml } from './yaml-file.js';

/** A settings file as it was found; readFileLayer says what its names mean. */
export interface SettingsFile {
  readonly path: string;
  /** As messages call it: relative to the project where it lies in it. */
  readonly name: string;
  readonly text: string;
}

const readers: Readonly<Record<string, (text: string) => FileEntry[]>> = {
  '.toml': readToml,
  '.yaml': readYaml,
  '.yml': readYaml,
  '.json': readJson,
};

/** In a project's folder these are looked for; having two is an error, because one would be ignored. */
export const settingsFileNames: readonly string[] = Object.keys(readers).map(
  (extension) => `easyserve${extension}`,
);

/**
 * The settings file of the project, or the one that `--config` names; undefined where there is none.
 *
 * Throws SettingsError when two are there, the named one is missing, or it cannot be read. `mayRead`: others are left alone.
 */
export function findSettingsFile(
  projectDir: string,
  named: string | undefined,
  mayRead: (path: string) => boolean = () => true,
): SettingsFile | undefined {
  if (named !== undefined)
    return mayRead(resolve(projectDir, named)) ? readNamed(projectDir, named) : undefined;
  const found = settingsFileNames
    .map((name) => resolve(projectDir, name))
    .filter(mayRead)
    .map((path) => readIfThere(projectDir, path))
    .filter((file) => file !== undefined);
  if (found.length > 1) {
    const names = found.map((file) => file.name);
    throw new SettingsError(
      'settings-ambiguous',
      `two settings files are in ${projectDir}: ${names.join(' and ')}`,
      {
        hint: `keep one of them, or name the one to use: easyserve start --config ${names[0]}`,
      },
    );
  }
  return found[0];
}

/** Throws SettingsError with the line, when the file is not valid in its language. */
export function readSettingsFile(file: SettingsFile): FileEntry[] {
  const read = readers[extname(file.path)];
  if (read === undefined) throw unknownLanguage(file.name);
  try {
    return read(file.text);
  } catch (error) {
    if (!(error instanceof FileSyntaxError)) throw error;
    const line = file.text.split(/\r?\n/)[error.line - 1] ?? '';
    throw new SettingsError('settings-syntax', `${file.name} line ${error.line}: ${error.message}`, {
      hint: suggestLine(extname(file.path), line),
    });
  }
}

function readNamed(projectDir: string, named: string): SettingsFile {
  const path = resolve(projectDir, named);
  if (readers[extname(path)] === undefined) throw unknownLanguage(named);
  const file = readIfThere(projectDir, path);
  if (file !== undefined) return file;
  throw new SettingsError('settings-missing', `there is no settings file ${path}`);
}

function unknownLanguage(name: string): SettingsError {
  return new SettingsError(
    'settings-language',
    `the settings file ${name} is neither TOML nor YAML nor JSON`,
    {
      hint: `end its name with one of ${Object.keys(readers).join(', ')}`,
    },
  );
}

/** Tries to read instead of looking first: an editor may replace the file at any time. */
function readIfThere(projectDir: string, path: string): SettingsFile | undefined {
  let content: Buffer;
  try {
    content = readFileBytes(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ''] ?? message;
    throw new SettingsError('settings-unreadable', `the settings file ${path} cannot be read: ${reason}`);
  }
  return { path, name: nameOf(projectDir, path), text: decode(path, content) };
}

/** Started by root, easyserve reads it as the user of the site. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'the user of the site may not read it',
  EINVAL: 'it is not a file',
  EISDIR: 'it is not a file',
  EFBIG: 'it is too large to be one',
  ELOOP: 'its symbolic links lead in a circle',
  // A socket, or a FIFO that cannot be opened so (open(2)).
  ENXIO: 'it is not a file',
};

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function nameOf(projectDir: string, path: string): string {
  const name = relative(resolve(projectDir), path);
  return name.startsWith('..') || isAbsolute(name) ? path : name;
}

/** Without the byte order mark, which some editors write. */
function decode(path: string, content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new SettingsError('settings-syntax', `${basename(path)} is not UTF-8 text`);
  }
}
