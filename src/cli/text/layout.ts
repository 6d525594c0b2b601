import type { ErrorRecord } from '../../contracts/errors.js';
import type { Output } from '../../log/output.js';
import { paint } from '../../log/paint.js';
import { visibleText } from '../../log/visible-text.js';

/** How text for people is laid out on the command line. */

/** Every error in one shape: sentence, detail, fix. */
export function printError({ message, detail, hint }: ErrorRecord, output: Output): void {
  output.write(`${paint(output.colour, 'red', 'easyserve:')} ${below(message)}\n`);
  if (detail !== undefined) output.write(`${indent(visible(detail), 2)}\n`);
  if (hint !== undefined) output.write(`  ${paint(output.colour, 'bold', 'fix:')} ${below(hint)}\n`);
}

/** Further lines stand below the first, set in, so that none of them looks like one of easyserve's own. */
export function below(text: string): string {
  const [first = '', ...rest] = visible(text).trimEnd().split('\n');
  return [first, ...rest.map((line) => `  ${line}`)].join('\n');
}

/** Lines stay lines; the colours of a traceback are dropped. */
export function visible(text: string): string {
  return String(text).split('\n').map(visibleText).join('\n');
}

/** Sets each line that has something on it so many columns to the right. */
export function indent(text: string, columns: number): string {
  return text.trimEnd().replace(/^(?=.)/gm, ' '.repeat(columns));
}

/**
 * Rows with their columns under each other, two spaces apart. A column whose cells (below the heading) are all numbers or
 * empty stands at the right. A cell is one line, whoever wrote it.
 */
export function alignTable(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map((cell) => visibleText(String(cell))));
  const count = Math.max(0, ...rows.map((row) => row.length));
  const columns = Array.from({ length: count }, (_, column) => rows.map((row) => row[column] ?? ''));
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  const isNumeric = columns.map((cells) => cells.slice(1).every((cell) => /^[\d.]*( [kMG]B)?$/.test(cell)));
  const lines = rows.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}
