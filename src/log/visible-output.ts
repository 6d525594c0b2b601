import type { Output } from './output.js';
import { visibleLines } from './visible-text.js';

/**
 * An output on which nothing that came from outside reaches a terminal as a command: file names, an application's text, what an
 * instance of another user answers. The one place that everything passes on its way to a person.
 */
export function visibleOutput(output: Output): Output {
  return {
    write: (text) => output.write(visibleLines(text)),
    onNews: (listener) => output.onNews(listener),
    reopen: () => output.reopen(),
    backpressure: output.backpressure,
    isTerminal: output.isTerminal,
    colour: output.colour,
    columns: () => output.columns?.(),
  };
}
