/** Colours, for streams that show them: codes of SGR, ECMA-48 section 8.3.117, as every terminal knows them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Paint = keyof typeof codes;

export function paint(isColoured: boolean, colour: Paint, text: string): string {
  return isColoured ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}
