/** One `name = value` of a settings file, as the reader of its language found it. */
export interface FileEntry {
  readonly name: string;
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
}

/** The file is no valid TOML, YAML or JSON. readSettingsFile makes a SettingsError of it, with the file's name. */
export class FileSyntaxError extends Error {
  /** From 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}
