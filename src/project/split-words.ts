/** Only a shell knows what these mean; outside of quotes, and `$`, backquote and backslash inside of double ones. */
const shellCharacters = /[&|;<>()$`\\*?#~!{}[\]\n]/;

/** The words of a command line, as the shell has them, but of its syntax only quotes; undefined where there is more. */
export function splitWords(script: string): string[] | undefined {
  const words: string[] = [];
  let rest = script.trim();
  while (rest !== '') {
    let word = '';
    while (rest !== '' && !/^\s/.test(rest)) {
      const [piece, single, double, plain] = /^(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"]+))/.exec(rest) ?? [];
      if (piece === undefined || (plain !== undefined && shellCharacters.test(plain))) return undefined;
      word += single ?? double ?? plain;
      rest = rest.slice(piece.length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}
