import { join, relative } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { detectFolder, isSiteFolder } from './detect-folder.js';
import { findBuiltFolder, findFramework } from './framework-build.js';
import { findPackageTool, readPackage } from './node-package.js';

/** Where a build that we do not know may put its pages; `public` is not among them, because it has sources in many projects. */
const usualPages = ['dist/index.html', 'build/index.html', 'out/index.html', '_site/index.html'];

/**
 * The site that is made from a folder of sources, as package.json tells; undefined where nothing is to be made. `link` is the folder as
 * the person named it, `root` the same with symbolic links resolved.
 *
 * Throws ApplicationError `site-not-built`: the sources themselves do not work in a browser, and are nobody's business.
 */
export async function detectBuiltSite(
  root: string,
  link: string,
  settings: Pick<Settings, 'fallback'>,
): Promise<Project | undefined> {
  const manifest = await readPackage(root);
  if (manifest === undefined) return undefined;
  const framework = findFramework(manifest);
  if (framework === undefined && manifest.scripts.build === undefined) return undefined;
  const folder = await findBuiltFolder(root, framework ?? { pages: usualPages });
  if (folder !== undefined) {
    const name = relative(root, folder);
    const project = await detectFolder(root, join(link, name), settings);
    return { ...project, warnings: [...project.warnings, describeBuilt(name, settings)] };
  }
  if (framework === undefined && !(await isSiteFolder(root))) return undefined;
  throw await notBuilt(root, framework);
}

// Private

function describeBuilt(name: string, { fallback }: Pick<Settings, 'fallback'>): string {
  const served = `The folder ${name} is served, which the build has made.`;
  if (fallback !== null) return served;
  return `${served} Where the pages have a router of their own: --set fallback=index.html`;
}

async function notBuilt(
  root: string,
  framework: ReturnType<typeof findFramework>,
): Promise<ApplicationError> {
  const tool = await findPackageTool(root);
  const start = framework === undefined ? 'easyserve start --set folder=dist' : 'easyserve start';
  const kind = framework === undefined ? 'a site' : `a site of ${framework.name}`;
  return new ApplicationError(
    'site-not-built',
    `${root} has the sources of ${kind}, and the result of its build is not there.`,
    {
      detail: framework?.advice ?? 'To serve the sources as they are: easyserve start --set folder=.',
      hint: `${tool} run build && ${start}`,
    },
  );
}
