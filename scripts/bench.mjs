/**
 * Compares easyserve with its neighbours on one view of the smallest Django site. Started by scripts/bench.
 *
 * All servers run at the same time and are measured in turn, round after round (A B C, A B C…), so that a machine that
 * changes its speed meanwhile changes it for everybody; ratios are taken within a round. Before that each must give the right
 * bytes. A contender that fails a single request is void.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { comparisons, contenders } from './benchmark/contenders.mjs';
import { fetchPage } from './benchmark/server-process.mjs';
import { measure } from './benchmark/wrk.mjs';

const usage = `scripts/bench [options]

  --rounds N        rounds (default 5)
  --seconds N       length of one measurement (default 5)
  --connections N   keep-alive connections (default 16)
  --only a,b        some contenders: ${contenders.map(({ name }) => name).join(', ')}
  --access-logs     every server writes its access log (Cheroot has none)
  --json            the result as JSON
`;
const expectedBody = 'Hello, world!\n';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const python = process.env.EASYSERVE_TEST_PYTHON ?? join(root, '.cache', 'venv', 'bin', 'python');

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string' },
    'access-logs': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(usage);
else await main();

async function main() {
  if (!isInstalled('wrk')) {
    console.error('bench: wrk is missing.\n  fix: apt-get install wrk nginx-light');
    process.exitCode = 1;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'esb-'));
  const running = [];
  try {
    for (const contender of chosen()) {
      const started = await start(contender, folder);
      if (started !== undefined) running.push(started);
    }
    const rounds = await measureRounds(running);
    const result = summarise(running, rounds);
    if (options.json) console.log(JSON.stringify(result, undefined, 2));
    else print(result);
  } finally {
    for (const { stop } of running) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function chosen() {
  const names = options.only?.split(',');
  const unknown = names?.find((name) => !contenders.some((contender) => contender.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no ${unknown}\n${usage}`);
  return contenders.filter(({ name }) => names === undefined || names.includes(name));
}

/** Undefined, and a line that says why, when it cannot take part. */
async function start(contender, folder) {
  const missing = contender.needs.filter((need) => !isInstalled(need));
  if (missing.length > 0) {
    note(
      `${contender.title}: left out, ${missing.join(' and ')} missing (${missing.map(howToInstall).join('; ')})`,
    );
    return undefined;
  }
  const own = join(folder, contender.name);
  const site = join(own, 'site');
  mkdirSync(own);
  cpSync(join(root, 'test', 'fixtures', 'django-minimal'), site, { recursive: true });
  note(`${contender.title}: starting`);
  try {
    const { url, stop } = await contender.start({
      site,
      folder: own,
      root,
      python,
      accessLogs: options['access-logs'],
    });
    const started = { ...contender, url, stop };
    const fault = await findFault(url);
    if (fault === undefined) return started;
    await stop();
    note(`${contender.title}: void, ${fault}`);
  } catch (error) {
    note(`${contender.title}: void, ${error.message}`);
  }
  return undefined;
}

async function findFault(url) {
  for (let n = 0; n < 20; n++) {
    const { status, body } = await fetchPage(url);
    if (status !== 200 || body !== expectedBody)
      return `it answers ${status} ${JSON.stringify(body.slice(0, 80))}`;
  }
  return undefined;
}

/** One Map a round: name -> measurement. The first, short round warms up and is thrown away. */
async function measureRounds(running) {
  const connections = Number(options.connections);
  for (const { url } of running) await measure(url, { connections, seconds: 1 });
  const rounds = [];
  for (let n = 1; n <= Number(options.rounds); n++) {
    const round = new Map();
    for (const { name, url } of running) {
      round.set(name, await measure(url, { connections, seconds: Number(options.seconds) }));
    }
    rounds.push(round);
    note(
      `round ${n}: ${[...round].map(([name, one]) => `${name} ${one.requestsPerSecond ?? 'void'}`).join(', ')}`,
    );
  }
  return rounds;
}

function summarise(running, rounds) {
  const results = running.map(({ name, title }) => {
    const runs = rounds.map((round) => round.get(name));
    const error = runs.find((run) => run.error !== undefined)?.error;
    if (error !== undefined) return { name, title, error };
    const of = (key) => runs.map((run) => run[key]);
    return {
      name,
      title,
      requestsPerSecond: median(of('requestsPerSecond')),
      p50Ms: median(of('p50Ms')),
      p99Ms: median(of('p99Ms')),
      rounds: of('requestsPerSecond'),
    };
  });
  return { machine: describeMachine(), options, results, comparisons: compare(results) };
}

function compare(results) {
  const find = (name) => results.find((result) => result.name === name && result.rounds !== undefined);
  return comparisons.flatMap(({ of, to, target }) => {
    const [ours, theirs] = [find(of), find(to)];
    if (ours === undefined || theirs === undefined) return [];
    const ratios = ours.rounds.map((rate, n) => Number((rate / theirs.rounds[n]).toFixed(2)));
    return [{ of: ours.title, to: theirs.title, ratio: median(ratios), ratios, target }];
  });
}

function print({ machine, results, comparisons }) {
  console.log(`\n${machine.cpus} x ${machine.cpu}, Node ${machine.node}, ${machine.python}`);
  console.log(
    `${options.connections} keep-alive connections, ${options.rounds} rounds of ${options.seconds} s, medians\n`,
  );
  for (const { title, requestsPerSecond, p50Ms, p99Ms, error } of results) {
    const numbers =
      error ?? `${String(requestsPerSecond).padStart(7)} requests/s   p50 ${p50Ms} ms   p99 ${p99Ms} ms`;
    console.log(`  ${title.padEnd(36)} ${error === undefined ? '' : 'void: '}${numbers}`);
  }
  console.log();
  for (const { of, to, ratio, ratios, target } of comparisons) {
    const range = `rounds ${Math.min(...ratios)} to ${Math.max(...ratios)}`;
    console.log(`  ${of} / ${to}: ${ratio} (${range})${target === undefined ? '' : `, promised ${target}`}`);
  }
}

function describeMachine() {
  const versions = spawnSync(python, [
    '-c',
    'import sys, django; print(sys.version.split()[0], django.__version__)',
  ]);
  const [pythonVersion, django] = versions.stdout.toString().trim().split(' ');
  return {
    cpus: cpus().length,
    cpu: cpus()[0]?.model.trim(),
    node: process.versions.node,
    python: `Python ${pythonVersion}, Django ${django}`,
  };
}

function isInstalled(need) {
  if (need === 'cheroot' || need === 'gunicorn')
    return spawnSync(python, ['-c', `import ${need}`]).status === 0;
  return spawnSync(need, ['-v']).error === undefined;
}

function howToInstall(need) {
  return need === 'nginx' ? 'apt-get install nginx-light' : `${python} -m pip install ${need}`;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : Number(((sorted[middle - 1] + sorted[middle]) / 2).toFixed(3));
}

/** Progress goes to stderr: stdout holds the result only. */
function note(line) {
  console.error(`bench: ${line}`);
}
