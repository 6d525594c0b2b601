import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.mjs';
import { describe, gunicornBehind } from './gunicorn.mjs';
import { uwsgiBehind } from './uwsgi.mjs';

/**
 * nginx before gunicorn, before uWSGI, and by itself for static files. Two workers on two cores, as `worker_processes auto`
 * of Debian's nginx.conf makes them, with that file's sendfile and tcp_nopush. The proxying is the one of
 * docs.gunicorn.org/en/stable/deploy.html, and of uwsgi-docs.readthedocs.io/en/latest/tutorials/Django_and_nginx.html;
 * HTTPS is nginx.org/en/docs/http/configuring_https_servers.html.
 */
export function nginxGunicorn({ workers, threads, https = false }) {
  return {
    name: 'nginx+gunicorn',
    title: `nginx + gunicorn ${describe(workers, threads)}`,
    needs: ['nginx', 'python:gunicorn'],
    launch(place) {
      const { server, socket } = gunicornBehind(place, { workers, threads });
      return behindNginx(place, server, proxyTo(socket), https);
    },
  };
}

export function nginxUwsgi({ processes, threads }) {
  const size = threads === undefined ? `${processes} processes` : `${processes} x ${threads} threads`;
  return {
    name: 'nginx+uwsgi',
    title: `nginx + uWSGI, ${size}`,
    needs: ['nginx', 'uwsgi'],
    launch(place) {
      const { server, socket } = uwsgiBehind(place, { processes, threads });
      return behindNginx(place, server, uwsgiTo(socket));
    },
  };
}

export function nginxStatic({ https = false } = {}) {
  return {
    name: 'nginx',
    title: 'nginx, 2 workers',
    needs: ['nginx'],
    launch(place) {
      const scheme = https ? 'https' : 'http';
      const process = startNginx(place, { https, application: '' });
      return { url: `${scheme}://127.0.0.1:${place.port}`, processes: [process] };
    },
  };
}

// Private

function behindNginx(place, server, application, https = false) {
  const nginx = startNginx(place, { https, application });
  return { url: `${https ? 'https' : 'http'}://127.0.0.1:${place.port}`, processes: [server, nginx] };
}

function startNginx(place, what) {
  const file = join(place.folder, 'nginx.conf');
  writeFileSync(file, configuration(place, what));
  return new ServerProcess('nginx', ['-c', file, '-p', place.folder, '-e', 'stderr'], {
    name: 'nginx',
    cwd: place.folder,
    logFolder: place.folder,
  });
}

function configuration(place, { https, application }) {
  const { folder, port, accessLog } = place;
  return `
daemon off;
${process.getuid() === 0 ? 'user root; # the folder with the socket is ours alone' : ''}
pid ${join(folder, 'nginx.pid')};
worker_processes 2;
error_log stderr;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  access_log ${accessLog ? join(folder, 'nginx-access.log') : 'off'};
  sendfile on;
  tcp_nopush on;
  gzip on;
  gzip_static on;
  gzip_vary on;
  gzip_types text/css;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ')}
  server {
    listen 127.0.0.1:${port}${https ? ' ssl http2' : ''};
    ${https ? tlsDirectives(place) : ''}
    client_max_body_size 4G;
    keepalive_timeout 75;
    ${staticLocation(place.site)}
    ${application}
  }
}
`;
}

function tlsDirectives({ tls }) {
  return `
    ssl_certificate ${tls.certificate};
    ssl_certificate_key ${tls.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:SSL:10m;
    ssl_session_timeout 10m;
    keepalive_requests 1000000; # after the default, 1,000, HTTP/2 connections end, and h2load makes no new ones`;
}

function staticLocation({ staticUrl, staticRoot }) {
  return staticRoot === undefined ? '' : `location ${staticUrl} { alias ${staticRoot}/; }`;
}

function proxyTo(socket) {
  return `location / {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Host $http_host;
      proxy_redirect off;
      proxy_pass http://unix:${socket};
    }`;
}

function uwsgiTo(socket) {
  return `location / {
      include /etc/nginx/uwsgi_params;
      uwsgi_pass unix:${socket};
    }`;
}
