import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ServerProcess } from '../server-process.mjs';

/**
 * uWSGI behind a proxy, on a Unix socket, by its own protocol, with the flags of
 * uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html. The proxy keeps the access log. Returns its process and address.
 */
export function uwsgiBehind(place, { processes, threads }) {
  const socket = join(place.folder, 'uwsgi.sock');
  const { command, flags } = program(place);
  const args = [
    ...flags,
    ...['--socket', socket, '--chdir', place.site.folder, '--module', place.site.wsgi],
    ...['--master', '--processes', String(processes)],
    ...(threads === undefined ? [] : ['--threads', String(threads), '--enable-threads']),
    ...['--single-interpreter', '--need-app', '--strict', '--vacuum', '--die-on-term', '--disable-logging'],
  ];
  const server = new ServerProcess(command, args, {
    name: 'uwsgi',
    cwd: place.site.folder,
    logFolder: place.folder,
  });
  return { server, socket };
}

/**
 * The one from PyPI is built for the very Python that the others run; Debian's has its own Python, which is pointed to
 * the packages.
 */
function program({ python, sitePackages }) {
  const own = join(dirname(python), 'uwsgi');
  if (existsSync(own)) return { command: own, flags: [] };
  return { command: 'uwsgi', flags: ['--plugin', 'python3', '--pythonpath', sitePackages] };
}
