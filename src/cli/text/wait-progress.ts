import { systemClock } from '../../contracts/clock.js';
import type { Output } from '../../log/output.js';
import { createProgress, type Progress } from '../../log/progress.js';

/**
 * Tells what a verb waits for. On a terminal one line that is written over, once it takes longer than a second; elsewhere,
 * in the log of a deployment, a plain line for each step that the instance reports. Call end() before printing anything else.
 */
export function createWaitProgress(output: Output, firstStep: string): Progress {
  if (!output.isTerminal) return plainLines(output);
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
  return {
    step: (text) => output.write(`${text}\n`),
    hide() {},
    end() {},
  };
}
