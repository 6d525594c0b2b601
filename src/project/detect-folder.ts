import { join, resolve, sep } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import { readTextFile } from '../contracts/read-file.js';
import type { Settings } from '../settings/settings.js';
import { isFile, isFolder } from './path-checks.js';

const INDEX = 'index.html';

/** Whether a folder is a site of files, where nothing that runs was found in it. */
export async function isSiteFolder(folder: string): Promise<boolean> {
  return isFile(join(folder, INDEX));
}

/**
 * The project of a folder of files: that of the setting `folder`, else the project's own.
 *
 * `root` is the project; `folder` is not resolved, because a symbolic link is followed at each request. Throws
 * ApplicationError `folder-missing` and `fallback-missing`.
 */
export async function detectFolder(
  root: string,
  folder: string,
  { fallback }: Pick<Settings, 'fallback'>,
): Promise<Project> {
  if (!(await isFolder(folder))) throw missingFolder(folder);
  if (fallback !== null && !(await isFileInside(folder, fallback))) {
    throw new ApplicationError('fallback-missing', `There is no file ${fallback} in ${folder}.`, {
      hint: `easyserve start --set fallback=${INDEX}`,
    });
  }
  return {
    kind: 'folder',
    server: 'none',
    root,
    application: folder,
    warnings: [...(await warnOfIndex(folder)), ...(await warnOfBuild(folder))],
  };
}

// Private

function missingFolder(folder: string): ApplicationError {
  return new ApplicationError('folder-missing', `There is no folder ${folder}.`, {
    hint: 'Build the site first, or set folder to where its files are: easyserve start --set folder=dist',
  });
}

async function warnOfIndex(folder: string): Promise<readonly string[]> {
  if (await isSiteFolder(folder)) return [];
  return [`There is no ${INDEX} in ${folder}, so the start page is a 404.`];
}

/** The sources of a site that Vite or a tool like it builds have an index.html too, which does not work in a browser. */
async function warnOfBuild(folder: string): Promise<readonly string[]> {
  const text = await readTextFile(join(folder, 'package.json')).catch(() => undefined);
  if (text === undefined || !hasBuildScript(text)) return [];
  return [
    `package.json has a build script: to serve what it builds instead of ${folder} itself, set folder to it, like folder = "dist"`,
  ];
}

function hasBuildScript(text: string): boolean {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: Record<string, unknown> };
    return typeof scripts?.build === 'string';
  } catch {
    return false; // npm says what is wrong with it
  }
}

async function isFileInside(folder: string, name: string): Promise<boolean> {
  return resolve(folder, name).startsWith(folder + sep) && isFile(join(folder, name));
}
