import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, PrettyLines } from '../../../src/log/pretty.js';
import { accessRecord, linesOf } from './written-lines.js';

const plain = new PrettyLines({ colour: false, pid: 77 });
const coloured = new PrettyLines({ colour: true, pid: 77 });
/** In local time, as the lines are. */
const time = new Date(2024, 0, 2, 12, 3, 44).toISOString();

function event(lines: PrettyLines, record: Record<string, unknown>): string {
  return lines.event(
    `${JSON.stringify({ level: 'info', time, pid: 77, event: 'reload', msg: 'done', ...record })}\n`,
  );
}

const events: readonly (readonly [Record<string, unknown>, string])[] = [
  [{}, '12:03:44  info   reload      done\n'],
  [{ level: 'warn' }, '12:03:44  warn   reload      done\n'],
  [{ event: 'application-exited' }, '12:03:44  info   application-exited  done\n'],
  [{ msg: '' }, '12:03:44  info   reload\n'],
  [{ pid: 12 }, '12:03:44  info   reload      done  pid=12\n'],
  [
    { name: 'a.b:c', text: 'two words', empty: '', list: [1, 'x'], no: null, on: true },
    '12:03:44  info   reload      done  name=a.b:c  text="two words"  empty=""  list=[1,"x"]  on=true\n',
  ],
  [
    { msg: 'application 12 is ready', app: 12, generation: 1, changes: [], state: 'read' },
    '12:03:44  info   reload      application 12 is ready  generation=1  state=read\n',
  ],
  [
    { msg: 'serves generation 2', generation: 2, from: 'serves', empty: '' },
    '12:03:44  info   reload      serves generation 2  empty=""\n',
  ],
  [{ text: 'a=b' }, '12:03:44  info   reload      done  text="a=b"\n'],
  [
    { detail: 'Traceback:\n\tline 1\r\n  line 2\n', hint: 'pip install django' },
    '12:03:44  info   reload      done\n                 hint: pip install django\n                 Traceback:\n                 \tline 1\n                   line 2\n',
  ],
  [
    { detail: 'a\u001b[31mred\u001b[0m\u0007' },
    '12:03:44  info   reload      done\n                 ared\\x07\n',
  ],
  [{ msg: 'a\nb\rc\u001b[2Jd' }, '12:03:44  info   reload      a\\nb\\rc\\x1b[2Jd\n'],
];

for (const [record, line] of events) {
  test(`event ${JSON.stringify(record).slice(0, 60)}`, () => assert.equal(event(plain, record), line));
}

test('an access line', () => {
  const line = plain.access(accessRecord);
  assert.match(
    line,
    /^\d\d:\d\d:\d\d {2}200 {4}GET \/a\?b=c {2}1\.2 kB {2}3\.5 ms {2}127\.0\.0\.1 {2}4f1a\n$/,
  );
});

test("an application line keeps the application's text but for colours and control characters", () => {
  const source = { pid: 4711, stream: 'stderr' } as const;
  const line = plain.application('\u001b[1;31mERROR\u001b[0m\tx \u001b]0;title\u0007 é\r', source);
  assert.match(line, /^\d\d:\d\d:\d\d {2}app {4}4711 {2}ERROR\tx \\x1b\]0;title\\x07 é\\r\n$/);
});

test('colours come only when they are wanted, and every one is ended', () => {
  const esc = '\u001b';
  const lines = (format: PrettyLines) => [
    ...['debug', 'info', 'warn', 'error'].map((level) => event(format, { level, key: 'x' })),
    ...[101, 200, 302, 404, 503].map((status) => format.access({ ...accessRecord, status })),
    format.application('x', { pid: 1, stream: 'stdout' }),
  ];
  for (const line of lines(plain)) assert.equal(line.includes(esc), false);
  for (const line of lines(coloured)) {
    const begun = line.split(`${esc}[`).length - 1;
    const ended = line.split(`${esc}[0m`).length - 1;
    assert.ok(begun > 0 && begun === 2 * ended, JSON.stringify(line));
    assert.equal(linesOf(line).length, 1);
  }
  assert.ok(event(coloured, { level: 'error' }).includes(`${esc}[31merror${esc}[0m`));
  assert.ok(event(coloured, { level: 'warn' }).includes(`${esc}[33mwarn ${esc}[0m`));
});

const sizes: readonly (readonly [number, string])[] = [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1234, '1.2 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [134_217_728, '134.2 MB'],
  [5e9, '5.0 GB'],
  [7e15, '7000.0 TB'],
];

test('sizes', () => {
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text);
});

test('durations', () => {
  for (const [ms, text] of [
    [0, '0 ms'],
    [0.04, '0 ms'],
    [3.4567, '3.5 ms'],
    [999.9, '999.9 ms'],
    [999.96, '1.0 s'],
    [12_345, '12.3 s'],
  ] as const) {
    assert.equal(formatDuration(ms), text);
  }
});
