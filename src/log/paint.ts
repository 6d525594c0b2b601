/** Colours, for streams that show them: codes of SGR, ECMA-48 section 8.3.117, as every terminal knows them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Back to the terminal's own. */
export const reset = '\u001b[0m';

export type Paint = keyof typeof codes;

/** To the first column, and erase to the end of the line (ECMA-48 section 8.3.41). */
export const eraseLine = '\r\u001b[K';

/** What is written here: the only sequences that a terminal gets (visible-text). */
export const sequences = new RegExp(`\\u001b\\[(?:0|${Object.values(codes).join('|')})m|\\r\\u001b\\[K`, 'u');

export function paint(isColoured: boolean, colour: Paint, text: string): string {
  return isColoured ? `\u001b[${codes[colour]}m${text}${reset}` : text;
}
