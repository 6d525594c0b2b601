import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ServerProcess } from './server-process.mjs';

/**
 * What the benchmark compares. Each `start` takes {site, folder, python, root, accessLogs}, where `folder` is the
 * contender's own for sockets, configuration and logs, and resolves with {url, stop()} when it answers.
 */
export const contenders = [
  {
    name: 'easyserve-1',
    title: 'easyserve, 1 process',
    needs: [],
    start: (bench) => startEasyserve(bench, 1),
  },
  {
    name: 'easyserve-2',
    title: 'easyserve, cluster of 2',
    needs: [],
    start: (bench) => startEasyserve(bench, 2),
  },
  {
    name: 'cheroot',
    title: 'Cheroot alone, 10 threads',
    needs: ['cheroot'],
    start: startCheroot,
  },
  {
    name: 'gthread',
    title: 'gunicorn gthread, 1 x 10 threads',
    needs: ['gunicorn'],
    start: startGthread,
  },
  {
    name: 'nginx-sync',
    title: 'nginx + gunicorn sync, 2 processes',
    needs: ['nginx', 'gunicorn'],
    start: startNginx,
  },
];

/** Which pair answers which question, and what the project promises. */
export const comparisons = [
  { of: 'easyserve-1', to: 'cheroot', target: 2 },
  { of: 'easyserve-2', to: 'nginx-sync', target: 1.2 },
  { of: 'easyserve-1', to: 'gthread', target: undefined },
];

async function startEasyserve({ site, folder, root, python, accessLogs }, processes) {
  const flags = [
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--processes',
    String(processes),
    '--log-format',
    'json',
  ];
  const server = new ServerProcess(
    process.execPath,
    [
      join(root, 'bin', 'easyserve.js'),
      'start',
      site,
      ...flags,
      '--set',
      `accessLog=${accessLogs}`,
      '--set',
      `python=${python}`,
    ],
    { name: 'easyserve', cwd: site, logFolder: folder, env: {} },
  );
  const url = await ready(server, () =>
    server.untilLog((log) => log.match(/"event":"ready".*?"url":"([^"]+)"/)?.[1]),
  );
  return { url, stop: () => server.stop() };
}

/** Cheroot keeps no access log, so accessLogs changes nothing here. */
async function startCheroot({ site, folder, python }) {
  const program = `
from cheroot.wsgi import Server
from minimal.wsgi import application
server = Server(('127.0.0.1', 0), application, numthreads=10)
server.prepare()
print('port %d' % server.bind_addr[1], flush=True)
server.serve()
`;
  const server = new ServerProcess(python, ['-c', program], {
    name: 'cheroot',
    cwd: site,
    logFolder: folder,
    env: {},
  });
  const port = await ready(server, () => server.untilLog((log) => log.match(/^port (\d+)$/m)?.[1]));
  return { url: `http://127.0.0.1:${port}/`, stop: () => server.stop() };
}

async function startGthread(bench) {
  const server = startGunicorn(bench, [
    '--worker-class',
    'gthread',
    '--workers',
    '1',
    '--threads',
    '10',
    '--bind',
    '127.0.0.1:0',
  ]);
  const url = await ready(server, () => server.untilLog((log) => log.match(/Listening at: (http:\S+)/)?.[1]));
  await ready(server, () => server.untilAnswers(`${url}/`));
  return { url: `${url}/`, stop: () => server.stop() };
}

async function startNginx(bench) {
  const socket = join(bench.folder, 'gunicorn.sock');
  const gunicorn = startGunicorn(bench, [
    '--worker-class',
    'sync',
    '--workers',
    '2',
    '--bind',
    `unix:${socket}`,
  ]);
  const port = await freePort();
  const configuration = join(bench.folder, 'nginx.conf');
  writeFileSync(configuration, nginxConfiguration(bench, port, socket));
  const nginx = new ServerProcess(
    'nginx',
    ['-c', configuration, '-p', bench.folder, '-e', 'nginx-error.log'],
    {
      name: 'nginx',
      cwd: bench.folder,
      logFolder: bench.folder,
      env: {},
    },
  );
  const stop = async () => {
    await nginx.stop();
    await gunicorn.stop();
  };
  const url = `http://127.0.0.1:${port}/`;
  try {
    await nginx.untilAnswers(url);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${gunicorn.lastWords}`);
  }
  return { url, stop };
}

function startGunicorn({ site, folder, python, accessLogs }, args) {
  const log = accessLogs ? ['--access-logfile', join(folder, 'gunicorn-access.log')] : [];
  return new ServerProcess(python, ['-m', 'gunicorn', ...args, ...log, 'minimal.wsgi:application'], {
    name: 'gunicorn',
    cwd: site,
    logFolder: folder,
    // Recent versions put a control socket into the home folder.
    env: { HOME: folder },
  });
}

/** After gunicorn's deployment guide (docs.gunicorn.org/en/stable/deploy.html), with as many workers as Debian's nginx.conf. */
function nginxConfiguration({ folder, accessLogs }, port, socket) {
  return `
daemon off;
${process.getuid() === 0 ? 'user root; # the folder with the socket is ours alone' : ''}
pid ${join(folder, 'nginx.pid')};
worker_processes auto;
error_log stderr;
events { worker_connections 1024; accept_mutex off; }
http {
  access_log ${accessLogs ? join(folder, 'nginx-access.log') : 'off'};
  sendfile on;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ')}
  upstream app_server { server unix:${socket} fail_timeout=0; }
  server {
    listen 127.0.0.1:${port};
    keepalive_timeout 5;
    location / {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Host $http_host;
      proxy_redirect off;
      proxy_pass http://app_server;
    }
  }
}
`;
}

/** Nothing that failed to start is left running. */
async function ready(server, wait) {
  try {
    return await wait();
  } catch (error) {
    await server.stop();
    throw error;
  }
}
