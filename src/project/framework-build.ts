import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NodePackage } from './node-package.js';
import { exists, isFile } from './path-checks.js';

/** What a framework of Node.js makes of a project, as its documentation of deployment says. */
export interface Framework {
  readonly name: string;
  /** One of them among the packages means that the project is of this framework. */
  readonly packages: readonly string[];
  /** The server that its build makes. A star is the name of one folder. */
  readonly servers: readonly string[];
  /** The page by which a site without a server begins. */
  readonly pages: readonly string[];
  /** What the server has to be told so that it believes the headers of easyserve. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its build needs to make something that can be served here. */
  readonly advice?: string;
}

/** Of adapter-node: where it finds the address that the visitor asked for, without which forms are refused (SvelteKit, "Node servers"). */
const svelteHeaders = { PROTOCOL_HEADER: 'x-forwarded-proto', HOST_HEADER: 'x-forwarded-host' };

/** Those whose projects have others of this list among their packages come before them: nearly all have Vite. */
const frameworks: readonly Framework[] = [
  {
    name: 'Nuxt',
    packages: ['nuxt'],
    servers: ['.output/server/index.mjs'],
    pages: ['.output/public/index.html'],
  },
  {
    name: 'Nitro',
    packages: ['nitropack', 'nitro', 'vinxi', '@solidjs/start', '@tanstack/react-start'],
    servers: ['.output/server/index.mjs'],
    pages: ['.output/public/index.html'],
  },
  {
    name: 'SvelteKit',
    packages: ['@sveltejs/kit'],
    servers: ['build/index.js'],
    pages: ['build/index.html'],
    env: svelteHeaders,
    advice:
      'svelte.config.js has to name @sveltejs/adapter-node, or @sveltejs/adapter-static for a site of files.',
  },
  {
    name: 'Astro',
    packages: ['astro'],
    servers: ['dist/server/entry.mjs'],
    pages: ['dist/index.html'],
    advice: 'Pages made by a server need @astrojs/node with mode: "standalone" in astro.config.mjs.',
  },
  { name: 'Next.js', packages: ['next'], servers: ['.next/standalone/server.js'], pages: ['out/index.html'] },
  { name: 'NestJS', packages: ['@nestjs/core'], servers: ['dist/main.js', 'dist/src/main.js'], pages: [] },
  {
    name: 'Angular',
    packages: ['@angular/core'],
    servers: ['dist/*/server/server.mjs'],
    pages: ['dist/*/browser/index.html', 'dist/*/index.html', 'dist/index.html'],
  },
  { name: 'Create React App', packages: ['react-scripts'], servers: [], pages: ['build/index.html'] },
  { name: 'Docusaurus', packages: ['@docusaurus/core'], servers: [], pages: ['build/index.html'] },
  { name: 'Gatsby', packages: ['gatsby'], servers: [], pages: ['public/index.html'] },
  { name: 'Eleventy', packages: ['@11ty/eleventy'], servers: [], pages: ['_site/index.html'] },
  { name: 'Vue CLI', packages: ['@vue/cli-service'], servers: [], pages: ['dist/index.html'] },
  { name: 'Parcel', packages: ['parcel'], servers: [], pages: ['dist/index.html'] },
  { name: 'Vite', packages: ['vite'], servers: [], pages: ['dist/index.html'] },
];

/** The framework that a project is of; undefined where it is of none that we know. */
export function findFramework({ packages }: NodePackage): Framework | undefined {
  return frameworks.find((framework) => framework.packages.some((name) => packages.has(name)));
}

interface CarriedBuild {
  readonly marks: readonly string[];
  readonly server: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a build makes, carried to the server without the project and its package.json (Nitro, "Node.js runtime"), by files that it always has. */
const carriedBuilds: readonly CarriedBuild[] = [
  { marks: ['.output/server/index.mjs'], server: '.output/server/index.mjs' },
  { marks: ['nitro.json', 'server/index.mjs'], server: 'server/index.mjs' },
  { marks: ['handler.js', 'env.js', 'index.js'], server: 'index.js', env: svelteHeaders },
  { marks: ['server/entry.mjs', 'client'], server: 'server/entry.mjs' },
];

/** The server of a folder that is a build, without the project that it was made of. */
export async function findCarriedServer(
  root: string,
): Promise<(Pick<CarriedBuild, 'env'> & { file: string }) | undefined> {
  for (const { marks, server, env } of carriedBuilds) {
    const found = await Promise.all(marks.map((mark) => exists(join(root, mark))));
    if (found.every(Boolean)) return { file: join(root, server), ...(env && { env }) };
  }
  return undefined;
}

/** Absolute path of the server that was built; undefined where there is none (yet). */
export async function findBuiltServer(root: string, { servers }: Framework): Promise<string | undefined> {
  return firstFile(root, servers);
}

/** Absolute path of the folder of files that was built; undefined where there is none (yet). */
export async function findBuiltFolder(
  root: string,
  { pages }: Pick<Framework, 'pages'>,
): Promise<string | undefined> {
  const page = await firstFile(root, pages);
  return page && dirname(page);
}

// Private

async function firstFile(root: string, patterns: readonly string[]): Promise<string | undefined> {
  for (const pattern of patterns) {
    for (const path of await expand(root, pattern)) if (await isFile(path)) return path;
  }
  return undefined;
}

async function expand(root: string, pattern: string): Promise<string[]> {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return [join(root, pattern)];
  const names = await readdir(join(root, before)).catch(() => []);
  return names.sort().map((name) => join(root, before, name, after));
}
