import { isSettingKey } from './schema.js';
import { toKeySpelling } from './setting-name.js';

/**
 * How a line of a settings file that can't be read was probably meant: of another language than the file's (`port: 8000` in TOML),
 * without `=`, or with words that lack their quotes. Undefined where nothing is known better.
 */
export function suggestLine(extension: string, line: string): string | undefined {
  const bare = line.replace(/\s#.*$/, '').replace(extension === '.json' ? /^\s*\{|\}?\s*,?\s*$/g : /$^/, '');
  const parts = /^\s*["']?([A-Za-z][\w-]*)["']?\s*(:|=|\s)\s*(\S.*?)\s*$/.exec(bare);
  const [, name = '', sign, text = ''] = parts ?? [];
  if (!isSettingKey(toKeySpelling(name)) || /^[=:]$/.test(text)) return undefined;
  const value = writeValue(text);
  if (value === undefined) return undefined;
  const meant =
    { '.toml': `${name} = ${value}`, '.json': `"${name}": ${value}` }[extension] ?? `${name}: ${value}`;
  if (meant === bare.trim()) return undefined;
  const other = otherLanguage(extension, sign);
  return `write it as \`${meant}\`${other === undefined ? '' : `, or call the file easyserve${other}`}`;
}

// Private

function otherLanguage(extension: string, sign: string | undefined): string | undefined {
  if (extension === '.toml' && sign === ':') return '.yaml';
  return extension !== '.toml' && sign === '=' ? '.toml' : undefined;
}

/** A value as TOML, YAML and JSON all have it; undefined for a table. */
function writeValue(text: string): string | undefined {
  if (text.startsWith('{')) return undefined;
  if (/^\[.*\]$/.test(text)) return writeList(text.slice(1, -1));
  if (/^(true|yes)$/i.test(text)) return 'true';
  if (/^(false|no)$/i.test(text)) return 'false';
  if (/^[+-]?\d+(\.\d+)?$/.test(text) || /^"[^"]*"$/.test(text)) return text;
  if (/^'[^'"]*'$/.test(text)) return `"${text.slice(1, -1)}"`;
  return text.includes(',') ? writeList(text) : JSON.stringify(text);
}

function writeList(text: string): string {
  const items = text.split(',').map((each) => writeValue(each.trim()) ?? '');
  return `[${items.filter((each) => each !== '' && each !== '""').join(', ')}]`;
}
