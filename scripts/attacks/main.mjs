/**
 * What visitors notice of an attack, with easyserve and with nginx + gunicorn, one after the other in one run. Started by
 * scripts/attack; attackers.mjs has the attacks, visitors.mjs asks meanwhile for a page and a file. The figures of docs/reliability.md
 * are from here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../benchmark/certificate.mjs';
import { easyserve } from '../benchmark/contenders/easyserve.mjs';
import { nginxGunicorn } from '../benchmark/contenders/nginx.mjs';
import { pssBytes } from '../benchmark/process-tree.mjs';
import { freePort, stopAllServers } from '../benchmark/server-process.mjs';
import { Tools } from '../benchmark/tools.mjs';

const usage = `scripts/attack [--only crash,readers,streams,uploads,overload] [--seconds 60] [--quiet-seconds 10] [--json]`;

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const threads = 4;
/** Pages of 200 ms that a thread answers in a second. */
const pagesPerThread = 5;

/** `processes` times `threads` threads each; what the attack is made for is listed. */
const contenders = [
  { title: 'easyserve, single', processes: 1, make: (set) => easyserve({ processes: 1, ...set }) },
  { title: 'easyserve, 2 processes', processes: 2, make: (set) => easyserve({ processes: 2, ...set }) },
  {
    title: `nginx + gunicorn, 2 x ${threads}`,
    processes: 2,
    make: ({ https }) => nginxGunicorn({ workers: 2, threads, https }),
  },
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'crash,readers,streams,uploads,overload' },
    seconds: { type: 'string', default: '60' },
    'quiet-seconds': { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(usage);
else await run(values.only.split(','));

async function run(attacks) {
  const folder = mkdtempSync(join(tmpdir(), 'esa-'));
  try {
    const tools = new Tools(root);
    const missing = tools.missing(['nginx', 'python:gunicorn', 'openssl']);
    if (missing.length > 0) throw new Error(`missing:\n${tools.howToInstall(missing).join('\n')}`);
    const bench = { folder, tools, tls: makeCertificate(folder) };
    const results = [];
    for (const attack of attacks) {
      for (const contender of contenders) {
        process.stderr.write(`${attack}: ${contender.title}\n`);
        const result = { attack, title: contender.title, ...(await measure(attack, contender, bench)) };
        results.push(result);
        console.log(values.json ? JSON.stringify(result) : describe(result));
      }
    }
  } finally {
    await stopAllServers();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Visitors before, during and after the attack, and memory of all processes before, at most, and ten seconds after it. */
async function measure(attack, { processes, make }, bench) {
  const https = attack === 'streams';
  const contender = make({ https, set: { threads } });
  const place = await makePlace(bench);
  const { url, processes: started } = contender.launch(place);
  const pids = started.map(({ pid }) => pid);
  try {
    await untilAnswers(url, started);
    const quiet = Number(values['quiet-seconds']);
    const before = await runScript('visitors.mjs', [url, quiet]);
    const memory = { before: pssBytes(pids), most: 0, after: 0 };
    const weighing = setInterval(() => {
      memory.most = Math.max(memory.most, pssBytes(pids));
    }, 500);
    const seconds = Number(values.seconds);
    const attacked = runScript('attackers.mjs', [attack, url, seconds, processes * threads * pagesPerThread]);
    const during = await runScript('visitors.mjs', [url, seconds]);
    const attackers = await attacked;
    clearInterval(weighing);
    await pause(1000);
    const after = await runScript('visitors.mjs', [url, quiet]);
    memory.after = pssBytes(pids);
    return { before, during, after, attackers, memory };
  } finally {
    for (const server of started.toReversed()) await server.stop();
    rmSync(place.folder, { recursive: true, force: true });
  }
}

async function makePlace({ folder, tools, tls }) {
  const own = mkdtempSync(join(folder, 'e'));
  const site = join(own, 'site');
  cpSync(join(root, 'test', 'fixtures', 'wsgi-hello'), site, { recursive: true });
  mkdirSync(join(site, 'files'));
  writeFileSync(join(site, 'files', 'a.txt'), 'file\n');
  writeFileSync(join(site, 'easyserve.toml'), '[static]\n"/files/" = "files"\n');
  return {
    ...{ root, tls, folder: own, accessLog: false, python: tools.python },
    site: { folder: site, wsgi: 'app:application', staticUrl: '/files/', staticRoot: join(site, 'files') },
    port: await freePort(),
    otherPort: await freePort(),
  };
}

async function untilAnswers(url, processes) {
  for (let tries = 0; ; tries += 1) {
    const { page } = await runScript('visitors.mjs', [url, 0.05]);
    if (page.answered > 0) return;
    if (tries === 100) throw new Error(processes.map(({ lastWords }) => lastWords).join('\n'));
    await pause(200);
  }
}

async function runScript(name, args) {
  const script = spawn(process.execPath, [join(here, name), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  script.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(script, 'close');
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(output);
}

function describe({ title, before, during, after, attackers, memory }) {
  const lines = Object.entries({ before, during, after }).map(
    ([when, { page, file }]) => `  ${when.padEnd(7)} pages ${sentence(page)}; files ${sentence(file)}`,
  );
  const megabytes = Object.entries(memory).map(([when, bytes]) => `${when} ${Math.round(bytes / 1e6)} MB`);
  return [
    title,
    ...lines,
    `  memory  ${megabytes.join(', ')}`,
    `  attack  ${JSON.stringify(attackers)}`,
  ].join('\n');
}

function sentence({ asked, answered, p50Ms, p99Ms, maxMs }) {
  return `${answered} of ${asked}, p50 ${p50Ms} ms, p99 ${p99Ms} ms, longest ${maxMs} ms`;
}
