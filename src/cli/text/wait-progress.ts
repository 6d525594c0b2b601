import { systemClock } from '../../contracts/clock.js';
import type { Output } from '../../log/output.js';
import { createProgress, type Progress } from '../../log/progress.js';
import { visibleText } from '../../log/visible-text.js';

/**
 * Tells what a verb waits for until `work` has settled. On a terminal one line that is written over, once it takes longer
 * than a second; elsewhere, in the log of a deployment, a plain line for each step that the instance reports.
 */
export async function withProgress<T>(
  output: Output,
  firstStep: string,
  work: (onProgress: (text: string) => void) => Promise<T>,
): Promise<T> {
  const progress = output.isTerminal ? rewrittenLine(output, firstStep) : plainLines(output);
  try {
    return await work((text) => progress.step(text));
  } finally {
    progress.end();
  }
}

// Private

function rewrittenLine(output: Output, firstStep: string): Progress {
  const progress = createProgress({
    write: (text) => output.write(text),
    isTerminal: true,
    columns: output.columns,
    clock: systemClock,
  });
  progress.step(firstStep);
  return progress;
}

function plainLines(output: Output): Progress {
  return { step: (text) => output.write(`${visibleText(String(text))}\n`), hide() {}, end() {} };
}
