/**
 * Writes the table of docs/check.md from the list of checks, between the two marks in that file. A test compares it
 * (test/unit/check/documented-checks). Needs dist/ (`npm run build`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checks } from '../dist/check/checks.js';

const page = fileURLToPath(new URL('../docs/check.md', import.meta.url));
const rows = checks.map(
  ({ name, severity, doc, isQuick }) => `| \`${name}\` | ${severity} | ${doc} | ${isQuick ? 'yes' : ''} |\n`,
);
const table = `| name | severity | what is wrong | at the start |\n| --- | --- | --- | --- |\n${rows.join('')}`;
const [before, , after] = readFileSync(page, 'utf8').split(
  /(?<=<!-- checks -->\n)([\s\S]*?)(?=<!-- end of checks -->)/,
);
writeFileSync(page, before + table + after);
