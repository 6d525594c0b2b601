import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';

/**
 * What the benchmark needs besides easyserve, and where it comes from. A name without a colon is a command; `python:x` is a
 * module of the Python that everything runs under, `npm:x` a package of Node.
 */
const sources = {
  wrk: { apt: 'wrk' },
  h2load: { apt: 'nghttp2-client' },
  ab: { apt: 'apache2-utils' },
  openssl: { apt: 'openssl' },
  nginx: { apt: 'nginx-light' },
  caddy: { apt: 'caddy' },
  // Debian's is uwsgi with uwsgi-plugin-python3; this one is built for the Python that the others run.
  uwsgi: { pip: 'uwsgi' },
  'python:django': { pip: "'django>=3.2'" },
  'python:gunicorn': { pip: 'gunicorn' },
  'python:granian': { pip: 'granian' },
  'python:waitress': { pip: 'waitress' },
  'python:whitenoise': { pip: 'whitenoise' },
  'python:cheroot': { pip: 'cheroot' },
  'python:uvicorn': { pip: "'uvicorn[standard]'" },
  'python:hypercorn': { pip: 'hypercorn' },
  'npm:express': { npm: 'express' },
};

/** What is there is asked once. */
export class Tools {
  #root;
  #python;
  #found = new Map();

  constructor(root) {
    this.#root = root;
    const own = join(root, '.cache', 'bench-venv', 'bin', 'python');
    this.#python = existsSync(own)
      ? own
      : (process.env.EASYSERVE_TEST_PYTHON ?? join(root, '.cache', 'venv', 'bin', 'python'));
  }

  /** The interpreter that easyserve and every peer run. */
  get python() {
    return this.#python;
  }

  /** Where that one has its packages, for a uWSGI that brings a Python of its own. */
  get sitePackages() {
    const print = 'import sysconfig; print(sysconfig.get_path("purelib"))';
    return spawnSync(this.#python, ['-c', print]).stdout.toString().trim();
  }

  /** Where packages of Node for the applications are, `npm:…` above. */
  get nodeModules() {
    const folders = [this.#root, this.#benchNode].map((folder) => join(folder, 'node_modules'));
    return folders.find((folder) => existsSync(join(folder, 'express'))) ?? folders[1];
  }

  /** Those of the names that are not installed. */
  missing(needs) {
    return needs.filter((need) => !this.#has(need));
  }

  /** The commands that install them, one for each kind. */
  howToInstall(needs) {
    const named = (kind) => [...new Set(needs.map((need) => sources[need][kind]).filter(Boolean))].join(' ');
    const commands = {
      apt: `apt-get install --no-install-recommends ${named('apt')}`,
      pip: `${this.#fromHere(this.#python)} -m pip install ${named('pip')}`,
      npm: `npm install --prefix ${this.#fromHere(this.#benchNode)} ${named('npm')}`,
    };
    return Object.keys(commands)
      .filter((kind) => named(kind) !== '')
      .map((kind) => commands[kind]);
  }

  /** Installs all that is missing, as --install asks. Throws when a command fails. */
  install() {
    const venv = join(this.#root, '.cache', 'bench-venv');
    if (!existsSync(venv)) run(`python3 -m venv '${venv}'`, this.#root);
    this.#python = join(venv, 'bin', 'python');
    this.#found.clear();
    const missing = this.missing(Object.keys(sources));
    for (const command of this.howToInstall(missing)) {
      if (!command.startsWith('apt-get')) run(command, this.#root);
      else if (process.getuid() === 0)
        run(`apt-get update -qq && DEBIAN_FRONTEND=noninteractive ${command} -y -qq`, this.#root);
      else console.error(`bench: not root; run this yourself:\n  sudo ${command}`);
    }
    this.#found.clear();
  }

  // Private

  get #benchNode() {
    return join(this.#root, '.cache', 'bench-node');
  }

  /** As one types it in the checkout. */
  #fromHere(path) {
    const short = relative(this.#root, path);
    return short.startsWith('..') ? path : short;
  }

  #has(need) {
    if (!(need in sources)) throw new Error(`tools.mjs does not know ${need}`);
    const known = this.#found.get(need);
    if (known !== undefined) return known;
    const isThere = this.#look(need);
    this.#found.set(need, isThere);
    return isThere;
  }

  #look(need) {
    const [kind, name] = need.includes(':') ? need.split(':') : ['command', need];
    if (kind === 'python') return spawnSync(this.#python, ['-c', `import ${name}`]).status === 0;
    if (kind === 'npm') return canResolve(name, this.nodeModules);
    const folders = (process.env.PATH ?? '').split(delimiter);
    return [dirname(this.#python), ...folders].some((folder) => isExecutable(join(folder, name)));
  }
}

function canResolve(name, nodeModules) {
  try {
    createRequire(join(nodeModules, 'any.js')).resolve(name);
    return true;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code)) return false;
    throw error;
  }
}

function run(command, root) {
  console.error(`bench: ${command}`);
  const { status } = spawnSync('bash', ['-c', command], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`this failed: ${command}`);
}
