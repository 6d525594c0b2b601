import type { ErrorRecord } from '../errors.js';
import type { Output } from '../launcher.js';
import { paint } from './paint.js';

/** Every error that a person meets on the command line, in one shape: sentence, detail, fix. */
export function printError(record: ErrorRecord, output: Output): void {
  output.write(`${paint(output.colour, 'red', 'easyserve:')} ${record.message}\n`);
  if (record.detail !== undefined) output.write(`${indent(record.detail)}\n`);
  if (record.hint !== undefined) output.write(`  ${paint(output.colour, 'bold', 'fix:')} ${record.hint}\n`);
}

function indent(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, '  ');
}
