import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.mjs';
import { describe, gunicornBehind } from './gunicorn.mjs';

/**
 * Caddy before gunicorn, and by itself for static files over HTTPS: caddyserver.com/docs/caddyfile/directives/reverse_proxy
 * and …/file_server, with their defaults.
 */
export function caddyGunicorn({ workers, threads }) {
  return {
    name: 'caddy+gunicorn',
    title: `Caddy + gunicorn ${describe(workers, threads)}`,
    needs: ['caddy', 'python:gunicorn'],
    launch(place) {
      const { server, socket } = gunicornBehind(place, { workers, threads });
      const url = `http://127.0.0.1:${place.port}`;
      const caddy = startCaddy(place, url, `reverse_proxy unix/${socket}`);
      return { url, processes: [server, caddy] };
    },
  };
}

export function caddyStatic() {
  return {
    name: 'caddy',
    title: 'Caddy',
    needs: ['caddy'],
    launch(place) {
      const url = `https://127.0.0.1:${place.port}`;
      const { staticUrl, staticRoot } = place.site;
      const body = `tls ${place.tls.certificate} ${place.tls.key}
  handle_path ${staticUrl}* {
    root * ${staticRoot}
    file_server
  }`;
      return { url, processes: [startCaddy(place, url, body)] };
    },
  };
}

// Private

function startCaddy(place, address, body) {
  const file = join(place.folder, 'Caddyfile');
  const log = place.accessLog ? `log {\n    output file ${join(place.folder, 'caddy-access.log')}\n  }` : '';
  writeFileSync(
    file,
    `{
  admin off
  auto_https disable_redirects
}
${address} {
  bind 127.0.0.1
  ${log}
  ${body}
}
`,
  );
  return new ServerProcess('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    name: 'caddy',
    cwd: place.folder,
    logFolder: place.folder,
    env: { HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder },
  });
}
