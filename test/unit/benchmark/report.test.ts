import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importBenchmark } from '../../support/import-benchmark.js';
import { repositoryRoot } from '../../support/repository.js';

const { formatMarkdown, formatText, replaceGenerated } = await importBenchmark<{
  formatMarkdown(result: object): string;
  formatText(result: object): string;
  replaceGenerated(document: string, generated: string): string;
}>('report.mjs');

const result = {
  measuredOn: '2026-01-02',
  machine: { hardware: '2 cores', system: 'Debian', versions: { Node: '20.19.0' } },
  options: { rounds: 2, seconds: 3 },
  rows: [
    {
      title: 'minimal view',
      unit: 'requests/s',
      accessLog: true,
      contenders: [
        {
          name: 'easyserve',
          title: 'easyserve',
          state: 'measured',
          median: 12345,
          min: 12000,
          max: 13000,
          p99Ms: 4.256,
        },
        { name: 'nginx', title: 'nginx', state: 'measured', median: 10000, min: 9000, max: 11000 },
        {
          name: 'caddy',
          title: 'Caddy',
          target: { kind: 'ratio', atLeast: 2 },
          state: 'missing',
          reason: 'caddy: apt-get install caddy',
        },
        { name: 'granian', title: 'Granian', state: 'void', reason: '/: status 500,\nnot 200: "a|b"' },
      ],
      comparisons: [
        {
          peer: 'nginx',
          kind: 'ratio',
          median: 1.2345,
          min: 1.1,
          max: 1.3,
          target: { kind: 'ratio', atLeast: 1.4 },
          isMet: false,
          shortBy: 0.1655,
        },
      ],
    },
    {
      title: 'idle',
      unit: '% of a core',
      accessLog: true,
      contenders: [
        { name: 'easyserve', title: 'easyserve', state: 'measured', median: 0.0377, min: 0, max: 0.1 },
      ],
      comparisons: [
        {
          kind: 'value',
          median: 0.0377,
          min: 0,
          max: 0.1,
          target: { kind: 'value', atMost: 0.5 },
          isMet: true,
          shortBy: 0,
        },
      ],
    },
  ],
};

test('the table has a line for each contender, what is missing and void included', () => {
  const lines = formatMarkdown(result).split('\n');
  assert.deepEqual(lines.slice(4), [
    '| **minimal view (access log on)** | | | | |',
    '| easyserve | 12,345 requests/s (12,000 to 13,000; p99 4.26 ms) |  |  |  |',
    '| nginx | 10,000 requests/s (9,000 to 11,000) | 1.23 (1.1 to 1.3) | at least 1.4 | short by 0.166 |',
    '| Caddy | missing: caddy: apt-get install caddy |  | at least 2 | not measured |',
    '| Granian | void: /: status 500, not 200: "a\\|b" |  |  |  |',
    '| **idle (access log on)** | | | | |',
    '| easyserve | 0.0377 % of a core (0 to 0.1) |  | at most 0.5 % of a core | met |',
  ]);
});

test('the machine and the rounds stand before it, and in the text for people', () => {
  for (const text of [formatMarkdown(result), formatText(result)]) {
    assert.match(text, /2026-01-02: 2 cores, Debian; Node 20\.19\.0\. Rounds: 2, of 3 s each\./);
  }
});

test('only what is between the markers is replaced, and as often as wanted', () => {
  const document = readFileSync(join(repositoryRoot, 'docs', 'benchmarks.md'), 'utf8');
  const once = replaceGenerated(document, 'NEW TABLE');
  assert.equal(replaceGenerated(once, 'NEW TABLE'), once);
  assert.match(once, /NEW TABLE/);
  assert.equal(once.split('<!--')[0], document.split('<!--')[0]);
});

test('a document without the markers is not touched', () => {
  assert.throws(() => replaceGenerated('# Benchmarks', 'NEW TABLE'), /markers are missing/);
});
