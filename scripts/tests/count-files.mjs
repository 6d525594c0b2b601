import { relative } from 'node:path';

/**
 * A reporter of node:test that tells in its first line how many test files passed, failed and were skipped: `3 0 1`. scripts/test
 * adds them up. A file failed when anything in it did, and was skipped when nothing in it ran. A line follows for each failed test,
 * with the first line of its error: the end of a long log is what is kept of it.
 */
export default async function* countFiles(events) {
  const outcomes = new Map();
  const failures = [];
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue;
    const file = data.file ?? data.name;
    const outcome = type === 'test:fail' ? 'failed' : isSkipped(data) ? 'skipped' : 'passed';
    outcomes.set(file, worse(outcomes.get(file), outcome));
    if (outcome === 'failed') failures.push(describeFailure(file, data));
  }
  const all = [...outcomes.values()];
  const count = (wanted) => all.filter((outcome) => outcome === wanted).length;
  yield `${count('passed')} ${count('failed')} ${count('skipped')}\n`;
  for (const failure of failures) yield `${failure}\n`;
}

function describeFailure(file, { name, details }) {
  const error = details?.error?.cause ?? details?.error;
  const [reason] = String(error?.message ?? error ?? 'no reason given').split('\n');
  return `${relative(process.cwd(), file)}: ${name}: ${reason}`;
}

function isSkipped(data) {
  return data.skip !== undefined && data.skip !== false;
}

function worse(known, outcome) {
  const order = ['skipped', 'passed', 'failed'];
  return order[Math.max(order.indexOf(known), order.indexOf(outcome))];
}
