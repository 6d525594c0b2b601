import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const leftBehind = /(__pycache__|\.easyserve|db\.sqlite3)$/;

/**
 * The applications that are served. Each is prepared once, in a folder of the run's own, and copied for each contender, so that
 * none finds what another one left.
 */
export class Sites {
  #root;
  #folder;
  #tools;
  #prepared = new Map();

  constructor({ root, folder, tools }) {
    this.#root = root;
    this.#folder = join(folder, 'sites');
    this.#tools = tools;
    mkdirSync(this.#folder);
  }

  /** With `content`, what the workloads expect of it. */
  get(name) {
    const known = this.#prepared.get(name);
    if (known !== undefined) return known;
    const folder = join(this.#folder, name);
    const site = { name, folder, ...preparations[name](folder, this.#root, this.#tools) };
    this.#prepared.set(name, site);
    return site;
  }

  /** A copy for one contender. */
  copy(site, to) {
    cpSync(site.folder, to, { recursive: true, verbatimSymlinks: true });
    const staticRoot = site.staticRoot === undefined ? undefined : join(to, site.staticRoot);
    return { ...site, folder: to, staticRoot };
  }
}

const preparations = {
  minimal(folder, root) {
    copyFixture(join(root, 'test', 'fixtures', 'django-minimal'), folder);
    return { wsgi: 'minimal.wsgi:application', asgi: 'minimal.asgi:application' };
  },

  listing(folder, root, { python }) {
    copyFixture(join(root, 'test', 'fixtures', 'django-list'), folder);
    const { status, stdout, stderr } = spawnSync(python, ['-m', 'listing.prepare'], { cwd: folder });
    if (status !== 0) throw new Error(`the site with the list page could not be prepared:\n${stderr}`);
    const { session, page } = JSON.parse(stdout);
    const asset = (name) => readFileSync(join(folder, 'assets', name));
    return {
      wsgi: 'listing.wsgi:application',
      staticUrl: '/static/',
      staticRoot: 'static-collected',
      content: { session, page: Buffer.from(page), style: asset('style.css'), large: asset('large.bin') },
    };
  },

  'node-bare': (folder, root) => copyNodeSite('node-bare', folder, root),

  'node-express': (folder, root, tools) => {
    const facts = copyNodeSite('node-express', folder, root);
    symlinkSync(tools.nodeModules, join(folder, 'node_modules'));
    return facts;
  },
};

function copyFixture(from, to) {
  cpSync(from, to, { recursive: true, filter: (path) => !leftBehind.test(path) });
}

function copyNodeSite(name, folder, root) {
  copyFixture(join(root, 'scripts', 'benchmark', 'sites', name), folder);
  return {};
}
