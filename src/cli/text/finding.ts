import type { ErrorRecord } from '../../contracts/errors.js';
import type { Output } from '../../log/output.js';
import { paint } from '../../log/paint.js';
import { below, indent, visible } from './layout.js';

/** One line of `easyserve check`. */
export type Finding = Remark | ProblemFinding;

interface Remark {
  /** `note`: serves, but perhaps not as it was meant. */
  readonly level: 'ok' | 'note';
  readonly text: string;
  readonly fix?: string | undefined;
}

export interface ProblemFinding {
  readonly level: 'problem';
  readonly text: string;
  readonly detail?: string | undefined;
  readonly fix?: string | undefined;
  readonly exitCode: number;
}

export function toProblem({ message, detail, hint, exitCode }: ErrorRecord): ProblemFinding {
  return { level: 'problem', text: message, detail, fix: hint, exitCode };
}

const colours = { ok: 'green', note: 'yellow', problem: 'red' } as const;

export function printFinding(finding: Finding, output: Output): void {
  const label = paint(output.colour, colours[finding.level], finding.level.padEnd(7));
  output.write(`${label}  ${below(finding.text)}\n`);
  if (finding.level === 'problem' && finding.detail !== undefined)
    output.write(`${indent(visible(finding.detail), 9)}\n`);
  if (finding.fix !== undefined)
    output.write(`         ${paint(output.colour, 'bold', 'fix:')} ${below(finding.fix)}\n`);
}
