/** Sets each line that has something on it so many columns to the right. */
export function indent(text: string, columns: number): string {
  return text.trimEnd().replace(/^(?=.)/gm, ' '.repeat(columns));
}
