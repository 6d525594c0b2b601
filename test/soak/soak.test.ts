import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { killProcess, openFiles, rssBytes } from '../support/processes.js';
import { growthOf, type QuietMoment } from './growth.js';
import { type Soaked, seconds, startAsgi, startDjango, warmUpBytes } from './sites.js';
import { Traffic } from './traffic.js';

// Visitors of every kind, for as long as scripts/soak says, while processes crash and releases are replaced. Now and then they
// all leave, and what each process holds is weighed.

/** As many in a short soak as in a long one. */
const rounds = 9;

for (const mode of ['single', 'cluster'] as const) {
  const name = `${mode}: nothing grows in ${seconds} s of mixed traffic with crashes and reloads`;
  test(name, { timeout: (seconds * 3 + 240) * 1_000 }, async (t) => {
    const soaked = await Promise.all([startDjango(t, mode), startAsgi(t, mode)]);
    const traffic = new Traffic(soaked.map(({ site }) => site));
    const held = new Map<string, QuietMoment[]>();
    for (let round = 0; round < rounds; round += 1) {
      traffic.start();
      await passed((seconds * 1_000) / rounds);
      await Promise.all(soaked.map(({ easyserve }) => disturb(easyserve, round)));
      await traffic.pause();
      await Promise.all(soaked.map((each) => weigh(each, held)));
    }
    report(t, traffic, held);
    for (const [who, moments] of held) {
      const { rss, openFiles, isTooMuch } = growthOf(moments, { warmUpBytes });
      assert.ok(!isTooMuch, `${who}: ${percent(rss)} more memory, ${percent(openFiles)} more descriptors`);
    }
    for (const { site } of soaked) {
      for (const kind of Object.keys(site.visits)) assert.ok(traffic.served[`${site.name} ${kind}`], kind);
    }
  });
}

async function passed(ms: number): Promise<void> {
  const end = performance.now() + ms;
  const check = () => assert.ok(performance.now() >= end, 'the round goes on');
  await eventually(check, { timeoutMs: ms + 60_000, intervalMs: 100 });
}

/** A crash, a reload, and nothing, in turn. */
async function disturb(easyserve: Easyserve, round: number): Promise<void> {
  if (round % 3 === 0) {
    const before = await easyserve.appPids();
    killProcess(before[0] as number, 'SIGKILL');
    await eventually(
      async () => {
        const apps = await easyserve.apps();
        assert.ok(apps.length === before.length && apps.every(({ pid }) => pid !== before[0]));
        assert.ok(apps.every(({ state }) => state === 'ready'));
      },
      { timeoutMs: 60_000 },
    );
  } else if (round % 3 === 1) {
    const { code, stderr } = await easyserve.cli('reload');
    assert.equal(code, 0, stderr);
  }
}

/** Of the application the process that holds most: the others may have come a moment ago. */
async function weigh({ easyserve, site }: Soaked, held: Map<string, QuietMoment[]>): Promise<void> {
  const { pid, sites } = await easyserve.status();
  const appPids = sites.flatMap((each) => each.apps).map((app) => app.pid);
  const frontPids = sites.map((each) => each.pid).filter((front) => front !== pid);
  const [supervisor, fronts, apps] = await Promise.all([
    quietMomentOf(pid),
    Promise.all(frontPids.map(quietMomentOf)),
    Promise.all(appPids.map(quietMomentOf)),
  ]);
  add('supervisor', supervisor);
  for (const [at, front] of fronts.entries()) add(`front ${frontPids[at]}`, front);
  add('application', {
    rssBytes: Math.max(...apps.map(({ rssBytes }) => rssBytes)),
    openFiles: Math.max(...apps.map(({ openFiles }) => openFiles)),
  });

  function add(who: string, moment: QuietMoment): void {
    const key = `${site.name}: ${who}`;
    held.set(key, [...(held.get(key) ?? []), moment]);
  }
}

/** The least within a moment: closed connections go one by one, and so does garbage. */
async function quietMomentOf(pid: number): Promise<QuietMoment> {
  const seen: QuietMoment[] = [];
  await eventually(
    () => {
      seen.push({ rssBytes: rssBytes(pid), openFiles: openFiles(pid) });
      assert.ok(seen.length >= 6);
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
  return {
    rssBytes: Math.min(...seen.map((each) => each.rssBytes)),
    openFiles: Math.min(...seen.map((each) => each.openFiles)),
  };
}

function report(t: TestContext, traffic: Traffic, held: ReadonlyMap<string, readonly QuietMoment[]>): void {
  t.diagnostic(
    `served ${JSON.stringify(traffic.served)}; ${traffic.failed} failed, while something was broken`,
  );
  for (const [who, moments] of held) {
    const megabytes = moments.map((each) => (each.rssBytes / 1_000_000).toFixed(1)).join(' ');
    const { rss, openFiles } = growthOf(moments);
    t.diagnostic(`${who}: ${megabytes} MB: ${percent(rss)}`);
    t.diagnostic(
      `${who}: ${moments.map((each) => each.openFiles).join(' ')} descriptors: ${percent(openFiles)}`,
    );
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
