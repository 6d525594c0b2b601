import { isTable } from './formats.js';
import { isSettingKey, type SettingKey, schema } from './schema.js';
import { toKeySpelling } from './setting-name.js';

/**
 * How a line of a settings file that can't be read was probably meant: of another language than the file's (`port: 8000` in TOML),
 * without `=`, or with words that lack their quotes. Undefined where nothing is known better.
 */
export function suggestLine(extension: string, line: string): string | undefined {
  const bare = line.replace(/\s#.*$/, '').replace(extension === '.json' ? /^\s*\{|\}?\s*,?\s*$/g : /$^/, '');
  const parts = /^\s*["']?([A-Za-z][\w-]*)["']?\s*(:|=|\s)\s*(\S.*?)\s*$/.exec(bare);
  const [, name = '', sign, text = ''] = parts ?? [];
  const key = toKeySpelling(name);
  if (!isSettingKey(key) || /^[=:]$/.test(text) || text.startsWith('{')) return undefined;
  const value = writeValue(key, text);
  if (value === undefined) return `${name} must be ${schema[key].format.allowed}`;
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

/** A value as TOML, YAML and JSON all have it, which the setting accepts; undefined where none is known, and for a table. */
function writeValue(key: SettingKey, text: string): string | undefined {
  const { format } = schema[key];
  for (const each of readings(text)) {
    const value: unknown = format.read(each);
    if (value === null || isTable(value) || !format.accepts(value)) continue;
    return Array.isArray(value)
      ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
      : JSON.stringify(value);
  }
  return undefined;
}

/** What may have been meant, as the environment would have it: without marks of other languages, quotes of any kind, and brackets. */
function readings(text: string): readonly string[] {
  const bare = text.replace(/\s+\/\/.*$/, '').replace(/[;,]+$/, '');
  const inner = unquote(bare.replace(/^\[(.*)\]$/, '$1'));
  const items = inner.split(',').map((each) => unquote(each.trim()));
  const list = items.filter((each) => each !== '').join(',');
  const truth = /^(?:true|yes|on)$/i.test(inner)
    ? 'true'
    : /^(?:false|no|off)$/i.test(inner)
      ? 'false'
      : inner;
  return [list, inner, truth, inner.replace(/^0+(?=\d)/, '')];
}

function unquote(text: string): string {
  return text.replace(/^["'\u2018-\u201f]+|["'\u2018-\u201f]+$/g, '');
}
