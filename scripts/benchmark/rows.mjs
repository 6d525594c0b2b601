import { caddyGunicorn, caddyStatic } from './contenders/caddy.mjs';
import { easyserve, reloadingEasyserve } from './contenders/easyserve.mjs';
import { gunicorn } from './contenders/gunicorn.mjs';
import { nginxGunicorn, nginxStatic, nginxUwsgi } from './contenders/nginx.mjs';
import { cheroot, granianWsgi, waitress } from './contenders/wsgi-servers.mjs';
import { fixedRate } from './measurements/fixed-rate.mjs';
import { idleCpu } from './measurements/idle-cpu.mjs';
import { memoryIdle, memoryPerProcess, memoryUnderLoad } from './measurements/memory.mjs';
import { startTime } from './measurements/start-time.mjs';
import { newTlsConnections, throughput, tlsThroughput } from './measurements/throughput.mjs';

/**
 * The rows of the benchmark. Of each: a name for --only, the site (sites.mjs) and what is asked of it (workloads.mjs), what is measured
 * (measurements/), the contenders (contenders/), easyserve first, and by the peer's name what is aimed at: easyserve's
 * figure divided by the peer's ('ratio'), minus it ('difference'), or by itself ('value').
 *
 * `isQuick`: part of --quick. `isLogged`: with one line for each request in an access log it is another measurement, so that
 * --access-log both takes the row twice. To add a row, add one here; nothing else knows their names but docs/benchmarks.md.
 */
const ratioOf = (atLeast) => ({ kind: 'ratio', atLeast });
const ratioUpTo = (atMost) => ({ kind: 'ratio', atMost });
const upTo = (atMost) => ({ kind: 'value', atMost });
const moreUpTo = (atMost) => ({ kind: 'difference', atMost });

const sync2 = { workers: 2 };
const threads10 = { workers: 1, threads: 10 };

export const rows = [
  {
    name: 'minimal-cluster',
    title: 'minimal view, cluster of 2',
    isQuick: true,
    isLogged: true,
    site: 'minimal',
    workload: 'minimal',
    measurement: throughput,
    contenders: [
      easyserve({ processes: 2 }),
      nginxGunicorn(sync2),
      nginxUwsgi({ processes: 2 }),
      caddyGunicorn(sync2),
      granianWsgi({ workers: 2 }),
    ],
    targets: {
      'nginx+gunicorn': ratioOf(1.4),
      'nginx+uwsgi': ratioOf(1),
      'caddy+gunicorn': ratioOf(1.8),
      granian: ratioOf(1),
    },
  },
  {
    name: 'minimal-single',
    title: 'minimal view, single process, 10 threads',
    isQuick: true,
    isLogged: true,
    site: 'minimal',
    workload: 'minimal',
    measurement: throughput,
    contenders: [
      easyserve({ set: { threads: 10 } }),
      nginxGunicorn(threads10),
      cheroot({ threads: 10 }),
      waitress({ threads: 10 }),
    ],
    targets: { 'nginx+gunicorn': ratioOf(2), cheroot: ratioOf(2), waitress: ratioOf(1.5) },
  },
  {
    name: 'list-cluster',
    title: 'list page, cluster of 2',
    isQuick: true,
    isLogged: true,
    site: 'listing',
    workload: 'list',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2), nginxUwsgi({ processes: 2 })],
    targets: { 'nginx+gunicorn': ratioOf(1.05), 'nginx+uwsgi': ratioOf(1.05) },
  },
  {
    name: 'list-single',
    title: 'list page, single process, 10 threads',
    isQuick: true,
    isLogged: true,
    site: 'listing',
    workload: 'list',
    measurement: throughput,
    contenders: [
      easyserve({ set: { threads: 10 } }),
      nginxGunicorn(threads10),
      nginxUwsgi({ processes: 1, threads: 10 }),
    ],
    targets: { 'nginx+gunicorn': ratioOf(1.05), 'nginx+uwsgi': ratioOf(1.05) },
  },
  {
    name: 'list-latency',
    title: 'list page, p99 at 70 % of what the slower one can do, cluster of 2',
    isLogged: true,
    site: 'listing',
    workload: 'list',
    measurement: fixedRate(0.7),
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2)],
    targets: { 'nginx+gunicorn': ratioUpTo(1) },
  },
  {
    name: 'new-connections',
    title: 'minimal view, a new connection for every request, cluster of 2',
    isLogged: true,
    site: 'minimal',
    workload: 'newConnections',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2)],
    targets: { 'nginx+gunicorn': ratioOf(1) },
  },
  {
    name: 'form',
    title: 'POST of a form of 1 kB, cluster of 2',
    isLogged: true,
    site: 'listing',
    workload: 'form',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2)],
    targets: { 'nginx+gunicorn': ratioOf(1) },
  },
  {
    name: 'upload',
    title: 'upload of 10 MB, cluster of 2',
    site: 'listing',
    workload: 'upload',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2)],
    targets: { 'nginx+gunicorn': ratioOf(0.8) },
  },
  {
    name: 'download',
    title: 'download of 10 MB by FileResponse, cluster of 2',
    site: 'listing',
    workload: 'download',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxGunicorn(sync2)],
    targets: { 'nginx+gunicorn': ratioOf(2) },
  },
  staticRow('static', 'static file of 5 kB', 'static'),
  staticRow('static-304', 'static file, unchanged (304)', 'staticUnchanged'),
  staticRow('static-gzip', 'static file of 5 kB with gzip', 'staticGzip'),
  {
    name: 'static-large',
    title: 'static file of 10 MB',
    site: 'listing',
    workload: 'staticLarge',
    measurement: throughput,
    contenders: [easyserve({ processes: 2 }), nginxStatic()],
    targets: { nginx: ratioOf(0.5) },
  },
  httpsRow('https-h2', 'HTTPS, static file of 5 kB over HTTP/2', tlsThroughput('h2')),
  httpsRow('https-h1', 'HTTPS, static file of 5 kB over HTTP/1.1', tlsThroughput('h1')),
  httpsRow('tls-connections', 'HTTPS, new TLS 1.3 connections', newTlsConnections),
  memoryRow('memory-idle', 'memory at idle, minimal view, single process', memoryIdle),
  memoryRow('memory-load', 'memory under load, minimal view, single process', memoryUnderLoad),
  {
    name: 'memory-process',
    title: 'memory of one more application process, minimal view',
    site: 'minimal',
    workload: 'minimal',
    measurement: memoryPerProcess,
    contenders: [
      { ...easyserve({ processes: 2 }), oneMore: easyserve({ processes: 3 }) },
      { ...gunicorn({ workers: 2 }), oneMore: gunicorn({ workers: 3 }) },
    ],
    targets: { gunicorn: ratioUpTo(1.05) },
  },
  {
    name: 'start',
    title: 'from the command to the first 200, minimal view',
    site: 'minimal',
    workload: 'minimal',
    measurement: startTime,
    contenders: [easyserve(), gunicorn({ workers: 1 })],
    targets: { gunicorn: moreUpTo(350) },
  },
  {
    name: 'idle',
    title: 'processor time at idle, with 100 keep-alive connections',
    site: 'minimal',
    workload: 'minimal',
    measurement: idleCpu(100),
    contenders: [easyserve()],
    targets: { easyserve: upTo(0.5) },
  },
  reloadRow('reload-single', 'list page at 50 % load, p99 while it reloads, single process', 1),
  reloadRow('reload-cluster', 'list page at 50 % load, p99 while it reloads, cluster of 2', 2),
];

function staticRow(name, title, workload) {
  return {
    name,
    title,
    isLogged: true,
    site: 'listing',
    workload,
    measurement: throughput,
    contenders: [
      easyserve({ processes: 2 }),
      nginxStatic(),
      gunicorn({
        workers: 2,
        title: 'WhiteNoise + gunicorn sync, 2 workers',
        settingsModule: 'listing.settings_whitenoise',
        needs: ['python:whitenoise'],
      }),
    ],
    targets: { nginx: ratioOf(0.9), gunicorn: ratioOf(8) },
  };
}

function httpsRow(name, title, measurement) {
  return {
    name,
    title,
    site: 'listing',
    workload: 'static',
    measurement,
    contenders: [easyserve({ processes: 2, https: true }), caddyStatic(), nginxStatic({ https: true })],
    targets: { caddy: ratioOf(2), nginx: ratioOf(0.6) },
  };
}

function memoryRow(name, title, measurement) {
  return {
    name,
    title,
    site: 'minimal',
    workload: 'minimal',
    measurement,
    contenders: [easyserve({ set: { threads: 10 } }), nginxGunicorn(threads10)],
    targets: { 'nginx+gunicorn': moreUpTo(45) },
  };
}

/** Its peer is itself, under the same load, without reloads. */
function reloadRow(name, title, processes) {
  return {
    name,
    title,
    site: 'listing',
    workload: 'list',
    measurement: fixedRate(0.5),
    contenders: [
      reloadingEasyserve({ processes }),
      { ...easyserve({ processes, title: 'the same without reloads' }), name: 'steady' },
    ],
    targets: { steady: ratioUpTo(2) },
  };
}
