/**
 * Measures easyserve beside its neighbours. Started by scripts/bench; how it is to be read stands in docs/benchmarks.md.
 *
 * A stranger's way through: rows.mjs and hop-rows.mjs (what is measured), run-row.mjs (one row), contenders/ (how each
 * server is started), load.mjs (the load generators), statistics.mjs, report.mjs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.mjs';
import { hopRows } from './hop-rows.mjs';
import { describeMachine } from './machine.mjs';
import { readOptions, UsageError, usage } from './options.mjs';
import { formatMarkdown, formatText, replaceGenerated } from './report.mjs';
import { rows } from './rows.mjs';
import { runRow } from './run-row.mjs';
import { stopAllServers } from './server-process.mjs';
import { Sites } from './sites.mjs';
import { Tools } from './tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const document = join(root, 'docs', 'benchmarks.md');

class Interrupted extends Error {
  constructor(exitCode) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

try {
  await run(readOptions(process.argv.slice(2), [...rows, ...hopRows]));
} catch (error) {
  if (error instanceof UsageError) console.error(`bench: ${error.message}\n\n${usage}`);
  else if (!(error instanceof Interrupted)) throw error;
  process.exitCode = error instanceof UsageError ? 2 : error.exitCode;
}

async function run(options) {
  const tools = new Tools(root);
  if (options.isHelp) console.log(usage);
  else if (options.isListing)
    for (const { name, title } of options.rows) console.log(`${name.padEnd(18)} ${title}`);
  else if (options.isInstalling) tools.install();
  else report(await measure(options, tools), options);
}

async function measure(options, tools) {
  nameMissing(options.rows, tools);
  const folder = mkdtempSync(join(tmpdir(), 'esb-'));
  try {
    const bench = {
      ...{ root, folder, tools, note, interruption: interruptOnSignals() },
      ...{ rounds: options.rounds, seconds: options.seconds },
      sites: new Sites({ root, folder, tools }),
      tls: makeCertificate(folder),
    };
    const results = [];
    for (const row of options.rows) {
      const accessLogs = row.isLogged ? options.accessLogs : options.accessLogs.slice(0, 1);
      for (const accessLog of accessLogs) results.push(await runRow(row, bench, accessLog));
    }
    const { rounds, seconds } = options;
    const measuredOn = new Date().toISOString().slice(0, 10);
    return { measuredOn, machine: describeMachine(tools), options: { rounds, seconds }, rows: results };
  } finally {
    await stopAllServers();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Before anything starts, so that nobody finds out at the end. */
function nameMissing(chosen, tools) {
  const needs = new Set(
    chosen.flatMap(({ measurement, contenders }) => [
      ...measurement.needs,
      ...contenders.flatMap((contender) => contender.needs),
    ]),
  );
  const missing = tools.missing([...needs]);
  if (missing.length === 0) return;
  note(
    `missing: ${missing.join(', ')}; what needs them is left out, and reported as missing. To install them:`,
  );
  for (const command of tools.howToInstall(missing)) console.error(`  ${command}`);
  console.error('  or all at once: scripts/bench --install');
}

function report(result, { isJson, isWriting }) {
  console.log(isJson ? JSON.stringify(result, undefined, 2) : formatText(result));
  if (!isWriting) return;
  writeFileSync(document, replaceGenerated(readFileSync(document, 'utf8'), formatMarkdown(result)));
  note(`written to ${document}`);
}

/** Servers have process groups of their own, so that Ctrl-C doesn't reach them. What waits for them notices that they are gone. */
function interruptOnSignals() {
  const controller = new AbortController();
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => {
      controller.abort(new Interrupted(exitCode));
      stopAllServers();
    });
  }
  return controller.signal;
}

/** Progress goes to stderr: stdout holds the result only. */
function note(line) {
  console.error(`bench: ${line}`);
}
