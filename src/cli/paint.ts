/** Colours, for streams that show them. SGR codes of ECMA-48, as every terminal knows them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export function paint(isColoured: boolean, colour: keyof typeof codes, text: string): string {
  return isColoured ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
}
