import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Project } from '../../../src/contracts/project-facts.js';
import { makeFileTree } from '../../support/file-tree.js';
import { detect, errorOf } from './project-files.js';

// Folders of the shape that each framework makes; the names of files are those of its documentation of deployment.

interface Shape {
  readonly packages?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
}

async function makeShape(
  t: TestContext,
  { packages = [], scripts = {}, files = [] }: Shape,
): Promise<string> {
  const devDependencies = Object.fromEntries(packages.map((name) => [name, '1']));
  const names = Object.fromEntries(files.map((name) => [name, '']));
  return makeFileTree(t, { 'package.json': JSON.stringify({ devDependencies, scripts }), ...names });
}

async function detectShape(t: TestContext, shape: Shape): Promise<Project> {
  const root = await makeShape(t, shape);
  const project = await detect(root);
  return { ...project, application: project.application.replace(`${root}/`, '') };
}

const build = 'vite build';
const servers: readonly (Shape & { readonly what: string; readonly found: string })[] = [
  {
    what: 'SvelteKit',
    packages: ['vite', '@sveltejs/kit'],
    scripts: { build },
    files: ['build/index.js', 'build/handler.js'],
    found: 'build/index.js',
  },
  {
    what: 'Nuxt',
    packages: ['nuxt'],
    scripts: { build: 'nuxt build', preview: 'nuxt preview', start: 'nuxt preview' },
    files: ['.output/server/index.mjs', '.output/nitro.json'],
    found: '.output/server/index.mjs',
  },
  {
    what: 'Nitro',
    packages: ['nitropack'],
    files: ['.output/server/index.mjs'],
    found: '.output/server/index.mjs',
  },
  {
    what: 'Astro with its usual start script',
    packages: ['astro'],
    scripts: { build: 'astro build', start: 'astro dev' },
    files: ['dist/server/entry.mjs', 'dist/client/x.css'],
    found: 'dist/server/entry.mjs',
  },
  {
    what: 'NestJS',
    packages: ['@nestjs/core'],
    scripts: { build: 'nest build', start: 'nest start', 'start:prod': 'node dist/main' },
    files: ['dist/main.js', 'src/main.ts'],
    found: 'dist/main.js',
  },
  {
    what: 'NestJS without start:prod',
    packages: ['@nestjs/core'],
    scripts: { start: 'nest start' },
    files: ['dist/main.js'],
    found: 'dist/main.js',
  },
  {
    what: 'the standalone folder of Next.js',
    packages: ['next'],
    scripts: { start: 'next start' },
    files: ['server.js', '.next/BUILD_ID'],
    found: 'server.js',
  },
  {
    what: 'a standalone build of Next.js with its files',
    packages: ['next'],
    scripts: { start: 'next start' },
    files: ['.next/standalone/server.js', '.next/standalone/.next/static/a.js', 'node_modules/.bin/next'],
    found: '.next/standalone/server.js',
  },
  {
    what: 'Angular with server-side rendering',
    packages: ['@angular/core'],
    scripts: { start: 'ng serve', build: 'ng build' },
    files: ['dist/shop/server/server.mjs', 'dist/shop/browser/index.csr.html'],
    found: 'dist/shop/server/server.mjs',
  },
  { what: 'tsx', scripts: { start: 'tsx src/index.ts' }, files: ['src/index.ts'], found: 'src/index.ts' },
  {
    what: 'a script that names another',
    scripts: { start: 'npm run serve', serve: 'pnpm serve:now', 'serve:now': 'node lib/main.js' },
    files: ['lib/main.js'],
    found: 'lib/main.js',
  },
];
for (const { what, found, ...shape } of servers) {
  test(`${what}: ${found} runs under the preload`, async (t) => {
    const project = await detectShape(t, shape);
    assert.deepEqual([project.kind, project.application], ['node', found]);
  });
}

for (const [what, files, server, header] of [
  ['Nitro, beside its folder', ['.output/server/index.mjs'], '.output/server/index.mjs', undefined],
  ['Nitro or Nuxt', ['nitro.json', 'server/index.mjs', 'public/a.css'], 'server/index.mjs', undefined],
  ['SvelteKit', ['index.js', 'handler.js', 'env.js', 'client/a.js'], 'index.js', 'x-forwarded-proto'],
  ['Astro', ['server/entry.mjs', 'client/a.css'], 'server/entry.mjs', undefined],
] as const) {
  test(`a build of ${what} that was carried here without its project: ${server}`, async (t) => {
    const root = await makeFileTree(t, Object.fromEntries(files.map((name) => [name, ''])));
    const project = await detect(root);
    assert.ok(project.kind === 'node');
    assert.equal(project.application, `${root}/${server}`);
    assert.equal(project.node.env.PROTOCOL_HEADER, header);
  });
}

test('SvelteKit is told which headers name the address that the visitor asked for', async (t) => {
  const packages = ['@sveltejs/kit'];
  const own: Record<string, string> = { start: 'BODY_SIZE_LIMIT=1M node build' };
  for (const scripts of [{}, own]) {
    const project = await detectShape(t, { packages, scripts, files: ['build/index.js'] });
    assert.ok(project.kind === 'node');
    assert.equal(project.node.env.PROTOCOL_HEADER, 'x-forwarded-proto');
    assert.equal(project.node.env.HOST_HEADER, 'x-forwarded-host');
  }
});

test('what is left out of a start script for development is told', async (t) => {
  const watched = await detectShape(t, { scripts: { start: 'nodemon server.js' }, files: ['server.js'] });
  assert.deepEqual(watched.warnings, [
    'scripts.start in package.json (nodemon server.js) is for development: its file is run without nodemon.',
  ]);
  const built = await detectShape(t, {
    scripts: { start: 'rimraf dist && npm run build && node dist/main.js' },
    files: ['dist/main.js'],
  });
  assert.deepEqual([built.kind, built.application], ['node', 'dist/main.js']);
  assert.deepEqual(built.warnings, [
    'scripts.start in package.json (rimraf dist && npm run build && node dist/main.js) builds first: what is built is run as it is. Before each start and reload: npx rimraf dist && npm run build',
  ]);
  const nest = await detectShape(t, {
    packages: ['@nestjs/core'],
    scripts: { start: 'nest start' },
    files: ['dist/main.js'],
  });
  assert.deepEqual(nest.warnings, [
    'scripts.start in package.json (nest start) is for development, and is left out.',
  ]);
});

test('`next start` goes on where a standalone build lacks the files for browsers, and the line that copies them is told', async (t) => {
  const files = ['.next/standalone/server.js', 'node_modules/.bin/next', 'node_modules/next/x'];
  const scripts = { start: 'next start' };
  const project = await detectShape(t, { packages: ['next'], scripts, files });
  assert.deepEqual([project.kind, project.application], ['command', 'next start']);
  assert.match(project.warnings.join(), /cp -r \.next\/static \.next\/standalone\/\.next\/ && cp -r public/);
});

for (const [what, packages, files, folder] of [
  ['Vite', ['vite'], ['index.html', 'dist/index.html'], 'dist'],
  ['Astro without a server', ['astro'], ['dist/index.html'], 'dist'],
  ['SvelteKit with adapter-static', ['@sveltejs/kit', 'vite'], ['build/index.html'], 'build'],
  ['Next.js as a site of files', ['next'], ['out/index.html'], 'out'],
  ['Create React App', ['react-scripts'], ['public/index.html', 'build/index.html'], 'build'],
  ['Angular', ['@angular/core'], ['dist/shop/browser/index.html'], 'dist/shop/browser'],
  ['an unknown build', [], ['index.html', 'dist/index.html'], 'dist'],
] as const) {
  test(`${what}: the folder ${folder} is the site`, async (t) => {
    const project = await detectShape(t, { packages, scripts: { build: 'x' }, files });
    assert.deepEqual([project.kind, project.application], ['folder', folder]);
    assert.match(project.warnings.join(), /which the build has made.*--set fallback=index\.html/);
  });
}

for (const [what, shape, hint] of [
  ['Vite', { packages: ['vite'], files: ['index.html'] }, 'npm run build && easyserve start'],
  ['Astro', { packages: ['astro'], files: ['pnpm-lock.yaml'] }, 'pnpm run build && easyserve start'],
  ['SvelteKit', { packages: ['@sveltejs/kit'], files: ['yarn.lock'] }, 'yarn run build && easyserve start'],
  ['Nuxt', { packages: ['nuxt'], files: ['bun.lock'] }, 'bun run build && easyserve start'],
  [
    'Vite with a start script',
    { packages: ['vite'], scripts: { start: 'vite preview' } },
    'npm run build && easyserve start',
  ],
  [
    'a site of an unknown build',
    { scripts: { build: 'make it' }, files: ['index.html'] },
    'npm run build && easyserve start --set folder=dist',
  ],
] as const) {
  test(`${what} that is not built is not served raw`, async (t) => {
    const root = await makeShape(t, shape);
    const error = await errorOf(detect(root));
    assert.equal(error.code, 'site-not-built');
    assert.equal(error.hint, hint);
    // Who names the folder has said that it is meant.
    if ((shape.files as readonly string[] | undefined)?.includes('index.html')) {
      assert.equal((await detect(root, { settings: { folder: root } })).kind, 'folder');
    }
  });
}

test('an application of its own that has Vite for its pages is the application', async (t) => {
  const project = await detectShape(t, { packages: ['vite'], files: ['server.js', 'dist/index.html'] });
  assert.deepEqual([project.kind, project.application], ['node', 'server.js']);
});
