/**
 * The syntax of unit files: systemd.unit(5) for specifiers, systemd.service(5), "Command lines", for ExecStart.
 */

/** A value in which `%` begins no specifier. A line break would begin another setting. Throws where there is one. */
export function unitValue(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new Error(`a unit file cannot hold ${JSON.stringify(text)}`);
  return text.replaceAll('%', '%%');
}

/** Words of a command line: quoted where needed, and neither specifiers nor variables in them. */
export function unitCommand(words: readonly string[]): string {
  return words.map((word) => quote(unitValue(word).replaceAll('$', '$$$$'))).join(' ');
}

/** A list of paths, as in ReadWritePaths=. Missing ones are left out by systemd (`-`). */
export function unitPaths(paths: readonly string[]): string {
  return paths.map((path) => quote(`-${unitValue(path)}`)).join(' ');
}

// Private

function quote(word: string): string {
  if (/^[\w./@%$+=:,-]+$/.test(word)) return word;
  return `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
