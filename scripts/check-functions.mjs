/**
 * Fails when a function of src/ is longer than `mostLines`, from its signature to its closing brace: such a function does more
 * than one thing. Of Python files scripts/check asks Python itself.
 *
 * Reads the files as text and relies on Biome's format: a block ends at the first line below that is indented as the line that
 * opened it, and so does a signature that takes several lines.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mostLines = 40;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** `name(…) {`, `(…) => {` and `function (…): Type {`, but none of the statements that look like a call. */
const opensFunction = /(?:=> |\) |\): .*|^\s*\} )\{$/;
const isStatement = /^\s*(?:\} )?(?:if|else|for|while|switch|try|catch|finally|do|class|interface|type)\b/;

const tooLong = readdirSync(join(root, 'src'), { recursive: true })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .flatMap((path) => longFunctions(`src/${path}`));

if (tooLong.length > 0) {
  console.error(tooLong.join('\n'));
  process.exitCode = 1;
}

function longFunctions(path) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  return lines.flatMap((line, at) => {
    if (!opensFunction.test(line) || isStatement.test(line)) return [];
    const first = startOfSignature(lines, at);
    const last = endOfBlock(lines, at);
    const length = last - first + 1;
    if (length <= mostLines) return [];
    return `${path}:${first + 1}: ${length} lines, ${mostLines} at most: ${lines[first].trim()}`;
  });
}

/** A signature of several lines ends with a line that begins with its closing bracket. */
function startOfSignature(lines, at) {
  if (!/^\s*[)}\]]/.test(lines[at])) return at;
  const indent = indentOf(lines[at]);
  const above = lines.findLastIndex((line, index) => index < at && line !== '' && indentOf(line) === indent);
  return startOfSignature(lines, above);
}

function endOfBlock(lines, at) {
  const indent = indentOf(lines[at]);
  return lines.findIndex(
    (line, index) => index > at && line.trim().startsWith('}') && indentOf(line) === indent,
  );
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}
