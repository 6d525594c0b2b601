import convict from 'convict';
import { isTable } from './formats.js';
import { type SettingKey, schema, settingKeys } from './schema.js';
import type { Settings } from './settings.js';

/**
 * The values while they are put together, source by source: convict with our schema, and the only import of it.
 *
 * convict must not change a value. It coerces text by the type of the default ("8080abc" becomes 8080), so all keys share
 * one named format whose coercion leaves everything as it is. It walks into objects by dotted paths and fails on a name
 * with a dot (like a URL prefix), so tables are handed over as a Map. It reads process.argv and process.env unless it is
 * given others.
 */
const formatName = 'easyserve-setting';

convict.addFormat({
  name: formatName,
  validate: (value, definition) => definition.check(fromStored(value)),
  coerce: (value) => value,
});

export class CheckedValues {
  readonly #config: convict.Config<Record<string, unknown>>;
  /** Filled by the checks that convict calls in validate(). */
  readonly #refused = new Set<SettingKey>();

  constructor() {
    const definitions: convict.Schema<Record<string, unknown>> = {};
    for (const key of settingKeys) {
      definitions[key] = {
        default: toStored(schema[key].default),
        doc: schema[key].doc,
        format: formatName,
        check: (value: unknown) => this.#check(key, value),
      };
    }
    this.#config = convict(definitions, { env: {}, args: [] });
  }

  /** Puts the values of one source over the earlier ones. Returns the keys of the refused values, which change nothing. */
  take(values: ReadonlyMap<SettingKey, unknown>): ReadonlySet<SettingKey> {
    const earlier = new Map(Array.from(values.keys(), (key) => [key, this.#config.get(key)] as const));
    for (const [key, value] of values) this.#config.set(key, toStored(value));
    const refused = this.#validate();
    for (const key of refused) this.#config.set(key, earlier.get(key));
    return refused;
  }

  toSettings(): Settings {
    const entries = Object.entries(this.#config.getProperties());
    return Object.fromEntries(entries.map(([key, value]) => [key, fromStored(value)])) as unknown as Settings;
  }

  #validate(): ReadonlySet<SettingKey> {
    this.#refused.clear();
    try {
      this.#config.validate({ allowed: 'strict' });
    } catch (error) {
      // Its message joins all keys into one text; the checks have noted which ones were refused.
      if (this.#refused.size === 0) throw error;
    }
    return new Set(this.#refused);
  }

  #check(key: SettingKey, value: unknown): void {
    if (schema[key].format.accepts(value)) return;
    this.#refused.add(key);
    throw new Error(`must be ${schema[key].format.allowed}`);
  }
}

function toStored(value: unknown): unknown {
  return isTable(value) ? new Map(Object.entries(value)) : value;
}

function fromStored(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
