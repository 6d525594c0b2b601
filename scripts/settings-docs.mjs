/**
 * Writes the reference part of docs/settings.md from the schema, between the two marks in that file.
 * With --check it writes nothing and fails when the file is not current. Needs dist/ (`npm run build`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schema, themes } from '../dist/settings/schema.js';
import { environmentName } from '../dist/settings/setting-name.js';

const page = fileURLToPath(new URL('../docs/settings.md', import.meta.url));
const begin = '<!-- From here on written by scripts/settings-docs.mjs. -->\n';
const end = '<!-- End of what scripts/settings-docs.mjs writes. -->\n';

const effects = {
  live: 'at once',
  generation: 'new processes',
  listeners: 'new socket',
  restart: 'restart',
};

const before = readFileSync(page, 'utf8');
const after = withReference(before);
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  console.error('docs/settings.md is not current: node scripts/settings-docs.mjs');
  process.exitCode = 1;
}

function withReference(text) {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/settings.md has lost a mark: ${begin}or ${end}`);
  return `${text.slice(0, from)}${begin}\n${themes.map(renderTheme).join('\n')}\n${text.slice(to)}`;
}

function renderTheme({ title, keys }) {
  return `## ${title}\n\n${renderOverview(keys)}\n${keys.map(renderSetting).join('\n')}`;
}

function renderOverview(keys) {
  const rows = keys.map((key) => {
    const { default: value, effect } = schema[key];
    return `| [\`${key}\`](#${key.toLowerCase()}) | ${renderDefault(value)} | ${effects[effect]} |`;
  });
  return ['| setting | default | a change applies |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function renderSetting(key) {
  const { doc, format, default: value } = schema[key];
  return [
    `### ${key}`,
    '',
    doc,
    '',
    `* Must be ${format.allowed}.`,
    `* Default: ${renderDefault(value)}${inWords(key, value)}`,
    `* Environment: \`${environmentName(key)}\``,
    '',
  ].join('\n');
}

function renderDefault(value) {
  return value === null ? 'unset' : `\`${JSON.stringify(value)}\``;
}

/** 262144 bytes and 75000 milliseconds say little to a person. */
function inWords(key, value) {
  if (typeof value !== 'number' || value === 0) return '';
  if (key.endsWith('Bytes')) return ` (${shortest(value, 1024, ['bytes', 'KiB', 'MiB', 'GiB'])})`;
  if (key.endsWith('Ms') && value >= 1000) return ` (${value / 1000} s)`;
  return '';
}

function shortest(value, step, units) {
  let rest = value;
  let unit = 0;
  while (rest % step === 0 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  return `${rest} ${units[unit]}`;
}
