import { resolve } from 'node:path';
import { pathPrefix } from './address-formats.js';
import { type Format, listOf, mapOf, textLike, textThat } from './formats.js';

/** Formats of files, folders and what Python imports. */

export const folder: Format<string> = {
  // A NUL ends a path for the system, so that it would name another folder than the one that was checked.
  ...textLike(/^[^\0]+$/, 'the path of a folder'),
  resolve: (path, projectDir) => resolve(projectDir, path),
};

export const file: Format<string> = { ...folder, allowed: 'the path of a file' };

export const folders = listOf(folder, 'a list of folders');

export const foldersByPrefix = mapOf(
  pathPrefix,
  folder,
  'a table of URL prefixes, each beginning with a slash, and folders',
);

/** A path, or a name to be looked up; project/interpreter tells them apart. */
export const executable = textLike(/^[^\0]+$/, 'the path or name of a Python interpreter');

const module = String.raw`[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Start}_][\p{ID_Continue}]*)*`;

export const moduleName = textLike(
  new RegExp(`^${module}$`, 'u'),
  'a dotted module name, like mysite.settings',
);

/** The parentheses call a factory: `mysite:create_app()`. */
export const callableName = textLike(
  new RegExp(`^${module}:${module}(?:\\(\\))?$`, 'u'),
  'written as module:callable, like mysite.wsgi:application',
);

/** A Node.js application is named by its file, Python's by module and callable. */
export const application = textThat(
  (text) => callableName.accepts(text) || /^[^\0]+\.[cm]?[jt]s$/.test(text),
  `${callableName.allowed}, or the path of a JavaScript or TypeScript file`,
);
