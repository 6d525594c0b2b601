import type { Finding } from '../../check/finding.js';
import type { ErrorRecord } from '../../contracts/errors.js';
import type { Output } from '../../log/output.js';
import { paint } from '../../log/paint.js';
import { below, indent, visible } from './layout.js';

/** What `easyserve check` has looked at and found in order: one line. */
export interface Observation {
  readonly name: string;
  readonly text: string;
}

/** A finding; one that would keep the start from serving has the start's exit code, and what there is of a traceback. */
export interface ReportedFinding extends Finding {
  readonly detail?: string | undefined;
  readonly exitCode?: number;
}

export function toFinding({ code, message, detail, hint, exitCode }: ErrorRecord): ReportedFinding {
  return { name: code, severity: 'error', message, fix: hint ?? '', detail, exitCode };
}

const colours = { ok: 'green', note: 'yellow', warning: 'yellow', error: 'red' } as const;
const labelWidth = 7;

export function printObservation({ name, text }: Observation, output: Output): void {
  printLine('ok', `${name}: ${text}`, output);
}

export function printFinding(
  { name, severity, message, fix, detail }: ReportedFinding,
  output: Output,
): void {
  printLine(severity, `${message} [${name}]`, output);
  const margin = labelWidth + 2;
  if (detail !== undefined) output.write(`${indent(visible(detail), margin)}\n`);
  if (fix !== '')
    output.write(`${' '.repeat(margin)}${paint(output.colour, 'bold', 'fix:')} ${below(fix)}\n`);
}

// Private

function printLine(label: keyof typeof colours, text: string, output: Output): void {
  output.write(`${paint(output.colour, colours[label], label.padEnd(labelWidth))}  ${below(text)}\n`);
}
