import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../contracts/read-file.js';
import { isFile, isFolder } from './path-checks.js';
import { isOtherFolder } from './python-places.js';
import { splitWords } from './split-words.js';

/**
 * The line that probably serves a folder in which nothing with a usual name was found; undefined where nothing is likelier than anything
 * else. Only text is read: what has no usual name may be anything, and is not run.
 */
export async function suggestApplication(root: string): Promise<string | undefined> {
  const set =
    (await readProcfile(root)) ??
    (await findInText(root, ['', 'src'], pythonFile, suggestPython)) ??
    (await findInText(root, ['', 'src', 'bin', 'server', 'lib'], nodeFile, suggestNode)) ??
    (await suggestFolder(root));
  return set && `easyserve start --set ${set}`;
}

// Private

const pythonFile = /\.py$/;
const nodeFile = /\.[cm]?[jt]s$|^www$/;
/** Servers whose argument is `module:callable`; with gunicorn and uwsgi the callable may be left out (gunicorn, "Commands"). */
const pythonServers = new Set(['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'granian', 'waitress-serve']);
const spec = /^[A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*(?:\(\))?)?$/;

/** The process `web` of a Procfile, which names what a hosting platform starts (Heroku, "The Procfile"). */
async function readProcfile(root: string): Promise<string | undefined> {
  const text = await readTextFile(join(root, 'Procfile')).catch(() => '');
  const line = /^web:[ \t]*(\S.*?)\s*$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  // $PORT and the like are of no matter for an application that easyserve binds the port for.
  const words = splitWords(line.replaceAll('$', '')) ?? [];
  const name = pythonServers.has(words[0] ?? '') ? findSpec(words.slice(1)) : undefined;
  return name === undefined ? quoted(`command=${line}`) : quoted(`app=${name}`);
}

function findSpec(words: readonly string[]): string | undefined {
  const named = words.find((word, index) => spec.test(word) && !words[index - 1]?.startsWith('-'));
  const whole = words.find((word) => spec.test(word) && word.includes(':')) ?? named;
  return whole === undefined || whole.includes(':') ? whole : `${whole}:application`;
}

type Suggest = (file: string, text: string) => string | undefined;

/** In the files of some folders, and of the packages in them. */
async function findInText(
  root: string,
  folders: readonly string[],
  name: RegExp,
  suggest: Suggest,
): Promise<string | undefined> {
  for (const folder of folders) {
    for (const file of await listFiles(root, folder, name)) {
      const text = await readTextFile(join(root, file)).catch(() => '');
      const found = suggest(file, text);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function listFiles(root: string, folder: string, name: RegExp): Promise<string[]> {
  const entries = (await readdir(join(root, folder)).catch(() => [])).sort();
  const files = entries.filter((entry) => name.test(entry)).map((entry) => join(folder, entry));
  if (name !== pythonFile) return files;
  for (const entry of entries) {
    if (isOtherFolder(entry) || !(await isFolder(join(root, folder, entry)))) continue;
    const inside = await readdir(join(root, folder, entry)).catch(() => []);
    const some = inside.filter((each) => name.test(each)).sort();
    files.push(...some.map((each) => join(folder, entry, each)));
  }
  return files;
}

const made =
  /^([A-Za-z_]\w*)\s*(?::[^=\n]+)?=\s*(?:[\w.]+\.)?(?:Flask|FastAPI|Starlette|Quart|Bottle|Sanic|Litestar|Robyn|Falcon|App|API|WSGIApplication|get_wsgi_application|get_asgi_application)\(/m;
const written = /^(?:async )?def ([A-Za-z_]\w*)\((?:environ|env|scope)\b/m;
const factory = /^(?:async )?def ((?:create|make|build|get)_(?:app|application))\(\s*\)/m;
const streamlit = /^(?:import streamlit\b|from streamlit\b)/m;

function suggestPython(file: string, text: string): string | undefined {
  if (streamlit.test(text))
    return quoted(`command=streamlit run ${file} --server.port $PORT --server.address $HOST`);
  const [, name] = made.exec(text) ?? written.exec(text) ?? [];
  const [, maker] = factory.exec(text) ?? [];
  if (name === undefined && maker === undefined) return undefined;
  const module = file.replace(/(?:\/__init__)?\.py$/, '').replace(/^src\//, '');
  return quoted(`app=${module.replaceAll('/', '.')}:${name ?? `${maker}()`}`);
}

function suggestNode(file: string, text: string): string | undefined {
  return /\.listen\(/.test(text) && nodeFile.test(file) ? quoted(`app=${file}`) : undefined;
}

const siteFolders = ['public', 'dist', 'build', 'out', '_site', 'site', 'www', 'html', 'htdocs', 'docs'];

async function suggestFolder(root: string): Promise<string | undefined> {
  for (const name of siteFolders) if (await isFile(join(root, name, 'index.html'))) return `folder=${name}`;
  const names = await readdir(root).catch(() => []);
  return names.some((name) => /\.html?$/.test(name)) ? 'folder=.' : undefined;
}

function quoted(text: string): string {
  return /^[\w.=:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
