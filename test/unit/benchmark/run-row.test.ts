import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBenchmark } from '../../support/import-benchmark.js';

interface Contender {
  readonly name: string;
  readonly title: string;
  readonly needs: readonly string[];
  readonly keepsNoAccessLog?: boolean;
}

interface RowResult {
  readonly contenders: readonly {
    readonly title: string;
    readonly state: string;
    readonly reason?: string;
    readonly values?: readonly number[];
  }[];
  readonly comparisons: readonly {
    readonly peer: string;
    readonly median: number;
    readonly isMet?: boolean;
  }[];
}

const { runRow } = await importBenchmark<{
  runRow(row: object, bench: object, accessLog: boolean): Promise<RowResult>;
}>('run-row.mjs');

const [ours, theirs, third] = ['easyserve', 'nginx', 'caddy'].map(
  (name): Contender => ({ name, title: name, needs: name === 'caddy' ? ['caddy'] : [] }),
);

type Measure = (contender: Contender) => Promise<object>;

/** A row whose measurement starts its contenders by itself, and here doesn't. */
function rowOf(contenders: readonly (Contender | undefined)[], measure: Measure) {
  const measurement = { unit: 'requests/s', start: 'itself', needs: [], measure };
  return {
    name: 'row',
    title: 'a row',
    measurement,
    contenders,
    targets: { nginx: { kind: 'ratio', atLeast: 2 } },
  };
}

function benchOf({ rounds = 3, missing = [] as string[], interruption = new AbortController().signal } = {}) {
  const tools = {
    missing: (needs: readonly string[]) => needs.filter((need) => missing.includes(need)),
    howToInstall: (needs: readonly string[]) => [`apt-get install ${needs.join(' ')}`],
  };
  return { rounds, seconds: 1, tools, interruption, note: () => undefined };
}

test('contenders take turns, and are compared within a round', async () => {
  const turns: string[] = [];
  const row = rowOf([ours, theirs], async ({ name }) => {
    turns.push(name);
    const slowdown = 1 + (turns.length > 2 ? 9 : 0);
    return { value: (name === 'easyserve' ? 300 : 100) / slowdown };
  });
  const { comparisons } = await runRow(row, benchOf(), true);
  assert.deepEqual(turns, ['easyserve', 'nginx', 'easyserve', 'nginx', 'easyserve', 'nginx']);
  assert.equal(comparisons.length, 1);
  assert.deepEqual([comparisons[0]?.peer, comparisons[0]?.median, comparisons[0]?.isMet], ['nginx', 3, true]);
});

test('one that fails once is void and asked no more; the others go on', async () => {
  let asked = 0;
  const row = rowOf([ours, theirs], async ({ name }) => {
    if (name === 'nginx' && ++asked === 2) return { error: 'Non-2xx or 3xx responses: 1' };
    return { value: 100 };
  });
  const { contenders, comparisons } = await runRow(row, benchOf(), true);
  assert.equal(asked, 2);
  assert.deepEqual(contenders[0]?.values, [100, 100, 100]);
  assert.deepEqual([contenders[1]?.state, contenders[1]?.reason], ['void', 'Non-2xx or 3xx responses: 1']);
  assert.deepEqual(comparisons, []);
});

test('one whose tools are missing is reported, with how to install them', async () => {
  const row = rowOf([ours, third], async () => ({ value: 1 }));
  const { contenders } = await runRow(row, benchOf({ missing: ['caddy'] }), true);
  assert.deepEqual(
    [contenders[1]?.state, contenders[1]?.reason],
    ['missing', 'caddy: apt-get install caddy'],
  );
});

test('one without an access log is marked where the others keep one', async () => {
  const row = rowOf(
    [ours, { name: 'cheroot', title: 'Cheroot', needs: [], keepsNoAccessLog: true }],
    async () => ({
      value: 1,
    }),
  );
  assert.equal((await runRow(row, benchOf(), true)).contenders[1]?.title, 'Cheroot (has no access log)');
  assert.equal((await runRow(row, benchOf(), false)).contenders[1]?.title, 'Cheroot');
});

test('an interruption ends the row instead of making its contenders void', async () => {
  const controller = new AbortController();
  const row = rowOf([ours, theirs], async () => {
    controller.abort(new Error('interrupted'));
    throw new Error('it is gone');
  });
  await assert.rejects(
    runRow(row, benchOf({ interruption: controller.signal }), true),
    /^Error: interrupted$/,
  );
});
