import { NotAvailable, startEntrant } from './entrant.mjs';
import { compare, median, spread } from './statistics.mjs';

/**
 * Runs one row: its contenders in turn, round after round (A B C, A B C …), so that a machine that changes its speed changes it for
 * everybody. Resolves with what the report shows: {name, title, unit, accessLog, rate?, contenders, comparisons}. A contender
 * is 'measured', 'missing' (a tool is not installed), 'not available' (it did not start) or 'void' (a wrong answer).
 *
 * How a row is written stands in rows.mjs. Its `measurement` is {unit, start, needs, prepare?, measure}. By `start`, measure is called
 * with an entrant that was started for the whole row ('once') or for this round ('eachRound'), or with the contender and
 * a function that starts it ('itself'); then with {seconds}, and with what `prepare` made of all entrants. It resolves with
 * {value, …} or {error}.
 */
export async function runRow(row, bench, accessLog) {
  const lines = row.contenders.map((contender) => ({ contender, state: 'measured', runs: [] }));
  for (const line of lines) noteMissing(line, row, bench.tools);
  const start = (contender) => startEntrant(contender, row, bench, accessLog);
  const run = row.measurement.start === 'once' ? runStartedOnce : runStartedAnew;
  const prepared = await run(lines, row, bench, start);
  return summarise(row, accessLog, lines, prepared);
}

// Private

const isMeasured = (line) => line.state === 'measured';

async function runStartedOnce(lines, row, bench, start) {
  const { measurement } = row;
  try {
    for (const line of lines.filter(isMeasured)) {
      bench.note(`${row.name}: starting ${line.contender.title}`);
      await attempt(line, bench, async () => {
        line.entrant = await start(line.contender);
      });
    }
    const prepared = await prepare(lines, row, bench);
    for (let round = 1; round <= bench.rounds; round++) {
      for (const line of lines.filter(isMeasured)) {
        await attempt(line, bench, () =>
          measureOnce(line, measurement.measure(line.entrant, bench, prepared)),
        );
      }
      noteRound(lines, row, round, bench);
    }
    for (const line of lines.filter(isMeasured)) await attempt(line, bench, () => line.entrant.check());
    return prepared;
  } finally {
    for (const { entrant } of lines) await entrant?.stop();
  }
}

/** What the measurement has to know of all its entrants. Where it has nothing to ask, a short first run warms them up. */
async function prepare(lines, { measurement }, bench) {
  const measured = lines.filter(isMeasured);
  if (measurement.prepare !== undefined) return await prepareAll(measured, measurement, bench);
  for (const line of measured) {
    await attempt(line, bench, () => measurement.measure(line.entrant, { ...bench, seconds: 1 }));
  }
  return undefined;
}

/** Where it fails, whoever made it fail (the message says who), nobody can be measured. */
async function prepareAll(lines, measurement, bench) {
  if (lines.length === 0) return undefined;
  let prepared;
  const preparing = measurement.prepare(
    lines.map(({ entrant }) => entrant),
    bench,
  );
  for (const line of lines) {
    await attempt(line, bench, async () => {
      prepared = await preparing;
    });
  }
  return prepared;
}

async function runStartedAnew(lines, row, bench, start) {
  for (let round = 1; round <= bench.rounds; round++) {
    for (const line of lines.filter(isMeasured)) {
      await attempt(line, bench, () => measureAnew(line, row.measurement, bench, start));
    }
    noteRound(lines, row, round, bench);
  }
  return undefined;
}

async function measureAnew(line, measurement, bench, start) {
  if (measurement.start === 'itself') {
    await measureOnce(line, measurement.measure(line.contender, bench, undefined, start));
    return;
  }
  const entrant = await start(line.contender);
  try {
    await measureOnce(line, measurement.measure(entrant, bench));
  } finally {
    await entrant.stop();
  }
}

async function measureOnce(line, measuring) {
  const result = await measuring;
  if (result.error !== undefined) throw new Error(result.error);
  line.runs.push(result);
}

/** Whatever goes wrong with one contender is said of that one, and the others go on; unless all of it is to end. */
async function attempt(line, { interruption }, action) {
  try {
    await action();
    interruption.throwIfAborted();
  } catch (error) {
    interruption.throwIfAborted();
    line.state = error instanceof NotAvailable ? 'not available' : 'void';
    line.reason = error.message;
  }
}

function noteMissing(line, { measurement }, tools) {
  const missing = tools.missing([...measurement.needs, ...line.contender.needs]);
  if (missing.length === 0) return;
  line.state = 'missing';
  line.reason = `${missing.join(' and ')}: ${tools.howToInstall(missing).join('; ')}`;
}

function noteRound(lines, row, round, bench) {
  const figures = lines.map(({ contender, state, runs }) => {
    return `${contender.name} ${state === 'measured' ? runs.at(-1).value.toFixed(1) : state}`;
  });
  bench.note(`${row.name}: round ${round}: ${figures.join(', ')}`);
}

function summarise(row, accessLog, lines, prepared) {
  const contenders = lines.map(({ contender, state, reason, runs }) => {
    const name = contender.name;
    const isWithoutLog = accessLog && contender.keepsNoAccessLog;
    const title = `${contender.title}${isWithoutLog ? ' (has no access log)' : ''}`;
    const target = row.targets?.[name];
    if (state !== 'measured') return { name, title, target, state, reason };
    const values = runs.map(({ value }) => value);
    return {
      name,
      title,
      target,
      state,
      values,
      ...spread(values),
      ...medians(runs, ['p50Ms', 'p99Ms', 'reloads']),
    };
  });
  const { name, title, measurement } = row;
  return {
    ...{ name, title, unit: measurement.unit, accessLog, rate: prepared?.requestsPerSecond },
    contenders,
    comparisons: compareAll(row, contenders),
  };
}

/** The first contender of a row is the one that is compared with the others, or, where there is none, with its target. */
function compareAll({ targets = {} }, [subject, ...peers]) {
  if (subject.state !== 'measured') return [];
  if (peers.length === 0) return [compare(subject.values, undefined, targets[subject.name])];
  return peers
    .filter(isMeasured)
    .map((peer) => ({ peer: peer.name, ...compare(subject.values, peer.values, targets[peer.name]) }));
}

function medians(runs, keys) {
  const known = keys.filter((key) => runs.every((run) => run[key] !== undefined));
  return Object.fromEntries(known.map((key) => [key, median(runs.map((run) => run[key]))]));
}
