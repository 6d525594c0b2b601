import { relative } from 'node:path';
import { projectFolder } from '../project-folder.js';
import type { Surroundings } from '../surroundings.js';

/** What an argument may hold without quotes in every shell. */
const needsNoQuotes = /^[\w./@%+=:,-]+$/;

/**
 * How a person types a further command for the same project: `easyserve reload`, or where this one was started by npx or
 * for another folder, `npx easyserve reload sites/shop`. Used by cli/start for the banner.
 *
 * npm tells which command runs a program in npm_lifecycle_event (npm doc, "scripts", Environment).
 */
export function typedCommand(
  verb: string,
  projectDir: string,
  surroundings: Pick<Surroundings, 'cwd' | 'env'>,
): string {
  const name = surroundings.env.npm_lifecycle_event === 'npx' ? 'npx easyserve' : 'easyserve';
  const here = projectFolder({ base: undefined, dir: undefined }, surroundings);
  const folder = relative(here, projectDir);
  if (folder === '') return `${name} ${verb}`;
  // Up and down again is longer than the path itself, and harder to read.
  const shortest = folder.startsWith('..') ? projectDir : folder;
  return `${name} ${verb} ${needsNoQuotes.test(shortest) ? shortest : `'${shortest.replace(/'/g, `'\\''`)}'`}`;
}
