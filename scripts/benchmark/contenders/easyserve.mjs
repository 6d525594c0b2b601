import { join } from 'node:path';
import { ServerProcess } from '../server-process.mjs';

/**
 * easyserve with its defaults: what is set besides is where to listen, how many processes, and which Python.
 *
 * `set` takes more settings and `command`, a function of the place, a command, for the rows about another application server than
 * the gateway; `https` makes the URL the one of HTTPS.
 */
export function easyserve({ processes = 1, title, set = {}, command, https = false } = {}) {
  const mode = processes === 1 ? '1 process' : `cluster of ${processes}`;
  return {
    name: 'easyserve',
    title: title ?? `easyserve, ${mode}`,
    needs: ['python:django'],
    launch(place) {
      const more = {
        ...(https ? httpsSettings(place) : {}),
        ...(command ? { command: command(place) } : {}),
      };
      const server = start(place, processes, { ...set, ...more });
      const url = https ? `https://127.0.0.1:${place.otherPort}` : `http://127.0.0.1:${place.port}`;
      return { url, processes: [server] };
    },
  };
}

/** The same, reloading without a pause as long as it is under load. */
export function reloadingEasyserve(options) {
  const plain = easyserve(options);
  return {
    ...plain,
    title: `${plain.title}, reloading`,
    launch: (place) => ({ ...plain.launch(place), underLoad: () => keepReloading(place) }),
  };
}

// Private

function start(place, processes, settings) {
  // The folders of the benchmark are root's then, and easyserve stays root only where it is told to.
  const user = process.getuid?.() === 0 ? { user: 'root' } : {};
  const all = { accessLog: place.accessLog, python: place.python, ...user, ...settings };
  const sets = Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  return new ServerProcess(
    process.execPath,
    [
      join(place.root, 'bin', 'easyserve.js'),
      'start',
      place.site.folder,
      ...['--host', '127.0.0.1', '--port', String(place.port)],
      ...['--processes', String(processes), '--log-format', 'json'],
      ...sets,
    ],
    { name: 'easyserve', cwd: place.site.folder, logFolder: place.folder },
  );
}

function httpsSettings({ otherPort, tls }) {
  return { https: true, httpsPort: otherPort, tlsCert: tls.certificate, tlsKey: tls.key };
}

/** Returns a function that ends it, and resolves with the number of reloads, or rejects when one was refused. */
function keepReloading(place) {
  let isWanted = true;
  const done = reloadUntil(place, () => !isWanted);
  done.catch(() => undefined); // it is reported by the function below
  return () => {
    isWanted = false;
    return done;
  };
}

async function reloadUntil(place, isOver) {
  let count = 0;
  while (!isOver()) {
    const reload = new ServerProcess(
      process.execPath,
      [join(place.root, 'bin', 'easyserve.js'), 'reload', place.site.folder],
      { name: 'reload', cwd: place.site.folder, logFolder: place.folder },
    );
    const code = await reload.ended;
    await reload.stop();
    if (code !== 0) throw new Error(`a reload failed: ${reload.lastWords}`);
    count++;
  }
  return count;
}
