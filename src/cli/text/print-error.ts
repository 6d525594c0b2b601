import type { ErrorRecord } from '../../contracts/errors.js';
import type { Output } from '../../log/output.js';
import { paint } from '../../log/paint.js';
import { indent } from './indent.js';

/** Every error that a person meets on the command line, in one shape: sentence, detail, fix. */
export function printError(record: ErrorRecord, output: Output): void {
  output.write(`${paint(output.colour, 'red', 'easyserve:')} ${record.message}\n`);
  if (record.detail !== undefined) output.write(`${indent(record.detail, 2)}\n`);
  if (record.hint !== undefined) output.write(`  ${paint(output.colour, 'bold', 'fix:')} ${record.hint}\n`);
}
