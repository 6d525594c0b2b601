import { join } from 'node:path';
import { ServerProcess } from '../server-process.mjs';

/**
 * gunicorn by itself. Its documentation recommends sync workers behind a buffering proxy, and gthread where there is none or
 * where threads are wanted (docs.gunicorn.org/en/stable/design.html); nothing else is set.
 *
 * `settingsModule` is another DJANGO_SETTINGS_MODULE than the site's own.
 */
export function gunicorn({ workers, threads, title, settingsModule, needs = [] }) {
  return {
    name: 'gunicorn',
    title: title ?? `gunicorn ${describe(workers, threads)}`,
    needs: ['python:gunicorn', ...needs],
    launch(place) {
      const bind = `127.0.0.1:${place.port}`;
      const log = place.accessLog ? ['--access-logfile', join(place.folder, 'gunicorn-access.log')] : [];
      const server = startGunicorn(place, { bind, workers, threads, log, settingsModule });
      return { url: `http://${bind}`, processes: [server] };
    },
  };
}

/** Behind a proxy, on a Unix socket; the proxy keeps the access log. Returns its process and address. */
export function gunicornBehind(place, { workers, threads }) {
  const socket = join(place.folder, 'gunicorn.sock');
  const server = startGunicorn(place, { bind: `unix:${socket}`, workers, threads, log: [] });
  return { server, socket };
}

export function describe(workers, threads) {
  const count = `${workers} worker${workers === 1 ? '' : 's'}`;
  return threads === undefined ? `sync, ${count}` : `gthread, ${workers} x ${threads} threads`;
}

// Private

function startGunicorn(place, { bind, workers, threads, log, settingsModule }) {
  const kind =
    threads === undefined
      ? ['--worker-class', 'sync']
      : ['--worker-class', 'gthread', '--threads', String(threads)];
  return new ServerProcess(
    place.python,
    ['-m', 'gunicorn', ...kind, '--workers', String(workers), '--bind', bind, ...log, place.site.wsgi],
    {
      name: 'gunicorn',
      cwd: place.site.folder,
      logFolder: place.folder,
      // Recent versions put a control socket into the home folder.
      env: {
        HOME: place.folder,
        ...(settingsModule === undefined ? {} : { DJANGO_SETTINGS_MODULE: settingsModule }),
      },
    },
  );
}
