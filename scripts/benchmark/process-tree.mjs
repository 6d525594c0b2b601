import { readdirSync, readFileSync } from 'node:fs';

/**
 * What a contender's processes use, from /proc (Linux, proc(5)). Takes the ids of the processes that were started, and counts
 * their children and grandchildren with them.
 */

/**
 * Memory as the sum of the proportional set sizes: a page that n processes share counts as an n-th in each, so that the sum is
 * what the machine would get back.
 */
export function pssBytes(pids) {
  return sum(withDescendants(pids), (pid) => {
    const rollup = readIfThere(`/proc/${pid}/smaps_rollup`);
    return rollup === undefined ? 0 : Number(rollup.match(/^Pss:\s+(\d+) kB$/m)[1]) * 1024;
  });
}

/** Processor time so far, of all threads that still live, in nanoseconds; the clock ticks of /proc/…/stat are too coarse. */
export function cpuNanoseconds(pids) {
  return sum(withDescendants(pids), (pid) =>
    sum(listIfThere(`/proc/${pid}/task`), (task) => {
      const line = readIfThere(`/proc/${pid}/task/${task}/schedstat`);
      return line === undefined ? 0 : Number(line.split(' ')[0]);
    }),
  );
}

function withDescendants(pids) {
  const parents = new Map(listIfThere('/proc').filter(isNumber).map(parentOf));
  const found = new Set(pids);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function parentOf(pid) {
  // The name, in brackets, may hold spaces and brackets of its own.
  const line = readIfThere(`/proc/${pid}/stat`) ?? ') ? 0';
  return [Number(pid), Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1])];
}

function isNumber(text) {
  return /^\d+$/.test(text);
}

function sum(items, amountOf) {
  return items.reduce((total, item) => total + amountOf(item), 0);
}

/** Processes and threads come and go while they are counted. */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

function listIfThere(path) {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return [];
    throw error;
  }
}
