import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerName } from '../../../src/contracts/project-facts.js';
import { distribute, type PlanInput, planProcesses } from '../../../src/project/process-plan.js';

const mebibyte = 1024 * 1024;

interface Case {
  processes?: number | 'auto';
  threads?: number | 'auto';
  fronts?: number | 'auto';
  cores?: number;
  memoryMiB?: number;
  rssMiB?: number;
  isGilEnabled?: boolean;
  affinity?: string;
  hasEngineIo?: boolean;
}

function plan(given: Case, server: ServerName = 'gateway') {
  const input: PlanInput = {
    settings: {
      processes: given.processes ?? 1,
      threads: given.threads ?? 'auto',
      fronts: given.fronts ?? 'auto',
      affinity: given.affinity ?? 'auto',
    },
    capacity: {
      cores: given.cores ?? 4,
      rule: 'cgroup v2 CPU quota',
      memoryLimitBytes: (given.memoryMiB ?? 64_000) * mebibyte,
      memoryRule: 'cgroup v2 memory limit',
    },
    project: {
      server,
      hasEngineIo: given.hasEngineIo ?? false,
      python: { isGilEnabled: given.isGilEnabled ?? true },
      applicationRssBytes: given.rssMiB === undefined ? undefined : given.rssMiB * mebibyte,
    },
  };
  return planProcesses(input);
}

test('one process is a single site of ten threads, and tells what auto would do', () => {
  assert.deepEqual(plan({ processes: 1, cores: 4 }), {
    mode: 'single',
    processes: 1,
    fronts: 1,
    threads: 10,
    memoryBytes: 64_000 * mebibyte,
    reason: 'processes = 1: its threads share memory',
    advice: '`--processes auto` would use 4 processes on 4 cores (cgroup v2 CPU quota)',
  });
});

test('one process on one core has nothing to advise', () => {
  assert.equal(plan({ processes: 1, cores: 1.9 }).advice, undefined);
});

test('a number of processes is taken as it is, whatever the cores', () => {
  assert.deepEqual(plan({ processes: 6, cores: 2 }), {
    mode: 'cluster',
    processes: 6,
    fronts: 2,
    threads: 4,
    memoryBytes: 64_000 * mebibyte,
    reason: 'processes = 6',
    advice: undefined,
  });
});

test('auto takes one process for each whole core', () => {
  const { mode, processes, reason, advice } = plan({ processes: 'auto', cores: 3.75, rssMiB: 100 });
  assert.deepEqual({ mode, processes, advice }, { mode: 'cluster', processes: 3, advice: undefined });
  assert.equal(reason, 'processes = auto: one for each of 3.75 cores (cgroup v2 CPU quota)');
});

for (const cores of [0.25, 1, 1.99]) {
  test(`auto falls back to single mode on ${cores} cores`, () => {
    const { mode, processes, threads, reason } = plan({ processes: 'auto', cores });
    assert.deepEqual({ mode, processes, threads }, { mode: 'single', processes: 1, threads: 10 });
    assert.match(
      reason,
      new RegExp(`^processes = auto: ${cores} cores? \\(cgroup v2 CPU quota\\) can run one`),
    );
  });
}

test('auto is capped by three quarters of the memory', () => {
  const { processes, reason } = plan({ processes: 'auto', cores: 8, memoryMiB: 1000, rssMiB: 250 });
  assert.equal(processes, 3);
  assert.equal(
    reason,
    'processes = auto: of 250 MiB each, more would not fit into 75 % of 1000 MiB (cgroup v2 memory limit)',
  );
});

test('auto starts one process also where not even one fits', () => {
  const { mode, processes } = plan({ processes: 'auto', cores: 8, memoryMiB: 100, rssMiB: 250 });
  assert.deepEqual({ mode, processes }, { mode: 'single', processes: 1 });
});

test('auto prefers threads on all cores while the GIL is off', () => {
  const { mode, processes, threads, reason } = plan({ processes: 'auto', cores: 8, isGilEnabled: false });
  assert.deepEqual({ mode, processes, threads }, { mode: 'single', processes: 1, threads: 32 });
  assert.match(reason, /GIL is off/);
});

test('without the GIL, threads are shared out over a number of processes', () => {
  assert.equal(plan({ processes: 2, cores: 8, isGilEnabled: false }).threads, 16);
  assert.equal(plan({ processes: 16, cores: 8, isGilEnabled: false }).threads, 4);
  assert.equal(plan({ processes: 1, cores: 2, isGilEnabled: false }).threads, 10);
});

test('without the GIL, one process has nothing to advise', () => {
  assert.equal(plan({ processes: 1, cores: 8, isGilEnabled: false }).advice, undefined);
});

test('threads that are set are kept in both modes', () => {
  assert.equal(plan({ processes: 1, threads: 3 }).threads, 3);
  assert.equal(plan({ processes: 4, threads: 7, isGilEnabled: false }).threads, 7);
});

test('there is one front for each four processes, and never one without a process', () => {
  assert.equal(plan({ processes: 4 }).fronts, 1);
  assert.equal(plan({ processes: 5 }).fronts, 2);
  assert.equal(plan({ processes: 4, fronts: 3 }).fronts, 3);
  assert.equal(plan({ processes: 2, fronts: 3 }).fronts, 2);
  assert.equal(plan({ processes: 1, fronts: 3 }).fronts, 1);
});

test('processes are shared out evenly over the fronts', () => {
  assert.deepEqual(distribute(5, 3), [2, 2, 1]);
  assert.deepEqual(distribute(4, 2), [2, 2]);
  assert.deepEqual(distribute(1, 1), [1]);
});

test('a folder of files has no processes, whatever the settings say', () => {
  const reason = 'a folder of files needs no application process';
  const memoryBytes = 64_000 * mebibyte;
  const folder = { mode: 'single', processes: 0, fronts: 1, threads: 1, memoryBytes, advice: undefined };
  assert.deepEqual(plan({}, 'none'), { ...folder, reason });
  assert.deepEqual(plan({ processes: 'auto', fronts: 2 }, 'none'), { ...folder, reason });
  assert.deepEqual(plan({ processes: 4 }, 'none'), {
    ...folder,
    reason: `${reason}, so processes = 4 has no effect`,
  });
});

test('sessions that need the same process have one front, which reaches them all', () => {
  const of = (given: Case) => plan({ processes: 8, ...given });
  assert.equal(of({}).fronts, 2);
  assert.equal(of({ hasEngineIo: true }).fronts, 1);
  assert.equal(of({ hasEngineIo: true, affinity: 'off' }).fronts, 2);
  for (const affinity of ['engine.io', 'cookie:sid', 'header:Mcp-Session-Id']) {
    assert.equal(of({ affinity }).fronts, 1, affinity);
    assert.equal(of({ affinity }).advice, undefined);
  }
  const vain = of({ affinity: 'cookie:sid', fronts: 3 });
  assert.equal(vain.fronts, 1);
  assert.match(vain.advice ?? '', /^fronts = 3 has no effect: sessions need the same process/);
});
