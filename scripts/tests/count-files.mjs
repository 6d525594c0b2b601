/**
 * A reporter of node:test that tells in one line how many test files passed, failed and were skipped: `3 0 1`. scripts/test adds
 * them up. A file failed when anything in it did, and was skipped when nothing in it ran.
 */
export default async function* countFiles(events) {
  const outcomes = new Map();
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue;
    const file = data.file ?? data.name;
    const outcome = type === 'test:fail' ? 'failed' : isSkipped(data) ? 'skipped' : 'passed';
    outcomes.set(file, worse(outcomes.get(file), outcome));
  }
  const all = [...outcomes.values()];
  const count = (wanted) => all.filter((outcome) => outcome === wanted).length;
  yield `${count('passed')} ${count('failed')} ${count('skipped')}\n`;
}

function isSkipped(data) {
  return data.skip !== undefined && data.skip !== false;
}

function worse(known, outcome) {
  const order = ['skipped', 'passed', 'failed'];
  return order[Math.max(order.indexOf(known), order.indexOf(outcome))];
}
