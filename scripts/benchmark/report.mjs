/**
 * The result as text for people, and as the part of docs/benchmarks.md between its markers. A result is what main.mjs
 * collects, and what --json prints: {machine, options, measuredOn, rows: [what runRow resolves with]}.
 */

const start = '<!-- From here on written by scripts/bench --write. -->';
const end = '<!-- End of what scripts/bench writes. -->';

/** The document with its generated part replaced. Throws when the markers are missing. */
export function replaceGenerated(document, generated) {
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the markers are missing: ${start} … ${end}`);
  return `${document.slice(0, from + start.length)}\n\n${generated}\n\n${document.slice(to)}`;
}

export function formatText(result) {
  const blocks = result.rows.map((row) => {
    const figures = row.contenders.map((one) => `    ${one.title.padEnd(52)} ${figureOf(one, row)}`);
    const ratios = comparisonsOf(row).map(
      (line) =>
        `    ${line.what.padEnd(52)} ${[line.figure, line.target, line.verdict].filter(Boolean).join(', ')}`,
    );
    return [`  ${titleOf(row)}`, ...figures, ...ratios].join('\n');
  });
  return `\n${describe(result)}\n\n${blocks.join('\n\n')}\n`;
}

export function formatMarkdown(result) {
  const lines = result.rows.flatMap((row) => [
    `| **${titleOf(row)}** | | | | |`,
    ...row.contenders.map((one) => contenderLine(one, row)),
  ]);
  return [
    describe(result),
    '',
    '| row and contenders | figure | easyserve beside it | target | |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

// Private

function describe({ machine, options, measuredOn }) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return `${measuredOn}: ${machine.hardware}, ${machine.system}; ${versions.join(', ')}. Rounds: ${options.rounds}, of ${options.seconds} s each.`;
}

function titleOf({ title, accessLog, rate }) {
  const notes = [`access log ${accessLog ? 'on' : 'off'}`];
  if (rate !== undefined) notes.push(`${Math.round(rate)} requests/s`);
  return `${title} (${notes.join(', ')})`;
}

function contenderLine(contender, row) {
  const found = comparisonsOf(row).find(({ peer }) => peer === contender.name);
  const cells =
    found === undefined ? uncompared(contender, row) : [found.figure, found.target, found.verdict];
  return `| ${[contender.title, figureOf(contender, row), ...cells].map(oneCell).join(' | ')} |`;
}

function uncompared({ target }, { unit }) {
  return target === undefined ? ['', '', ''] : ['', describeTarget(target, unit), 'not measured'];
}

/** The median, the least and the greatest of the rounds, and the latency where the generator knew it. */
function figureOf({ state, reason, median, min, max, p99Ms, reloads }, { unit }) {
  if (state !== 'measured') return `${state}: ${reason}`;
  const rounds = `${plain(min)} to ${plain(max)}`;
  const notes = [rounds];
  if (p99Ms !== undefined && !unit.startsWith('ms')) notes.push(`p99 ${plain(p99Ms)} ms`);
  if (reloads !== undefined) notes.push(`${plain(reloads)} reloads`);
  return `${plain(median)} ${unit} (${notes.join('; ')})`;
}

/** {peer, what, figure, target, verdict} of each; a row without a peer is compared with its target only. */
function comparisonsOf({ contenders, comparisons, unit }) {
  return comparisons.map(({ peer, kind, median, min, max, target, isMet, shortBy }) => {
    const name = peer ?? contenders[0].name;
    const unitOf = unitFor(kind, unit);
    return {
      peer: name,
      what:
        peer === undefined
          ? 'target'
          : `easyserve ${kind === 'difference' ? 'minus' : '/'} ${titleOfPeer(contenders, name)}`,
      figure: kind === 'value' ? '' : `${signed(kind, median)}${unitOf} (${plain(min)} to ${plain(max)})`,
      target: target === undefined ? '' : describeTarget(target, unit),
      verdict: target === undefined ? '' : isMet ? 'met' : `short by ${plain(shortBy)}${unitOf}`,
    };
  });
}

function titleOfPeer(contenders, name) {
  return contenders.find((contender) => contender.name === name).title;
}

function unitFor(kind, unit) {
  return kind === 'ratio' ? '' : ` ${unit}`;
}

function describeTarget({ kind, atLeast, atMost }, unit) {
  const bound = atLeast === undefined ? 'at most' : 'at least';
  return `${bound} ${kind === 'difference' ? '+' : ''}${atLeast ?? atMost}${unitFor(kind, unit)}`;
}

function signed(kind, value) {
  return kind === 'difference' && value > 0 ? `+${plain(value)}` : plain(value);
}

/** Three significant digits, or all of a whole number: 0.0123, 1.23, 12.3, 12,345. */
function plain(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 4) });
}

/** A reason may have lines, and the end of a log in it. */
function oneCell(text) {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
