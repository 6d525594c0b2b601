/**
 * Breaks a line between its words so that it fits into `columns`, and begins what follows with `indent` spaces. A word that
 * is longer than that stays whole: paths and addresses are there to be copied. Without `columns` nothing is broken.
 */
export function wrapText(line: string, indent: number, columns: number | undefined): string {
  if (columns === undefined || line.length <= columns) return line;
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const at = findBreak(rest, indent, columns);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = margin + rest.slice(at + 1);
  }
  return [...lines, rest].join('\n');
}

/** The last space that leaves a line which fits; else the first one at all. -1: one long word. */
function findBreak(text: string, indent: number, columns: number): number {
  const last = text.lastIndexOf(' ', columns);
  return last > indent ? last : text.indexOf(' ', indent + 1);
}
