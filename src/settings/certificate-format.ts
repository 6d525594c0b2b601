import { type Format, isTable, table } from './formats.js';
import { file } from './place-formats.js';
import type { CertificateFiles } from './settings.js';

const parts: readonly string[] = ['cert', 'key', 'passphraseFile'];

/** For tlsCertificates. As text: a JSON list, for a comma may stand in the name of a file. */
export const certificateList: Format<readonly CertificateFiles[]> = {
  allowed: 'a list of tables with cert and, where needed, key and passphraseFile, each the path of a file',
  accepts: (value): value is readonly CertificateFiles[] =>
    Array.isArray(value) && value.every(isCertificate),
  read: (text) => (text.trim() === '' ? [] : table.read(text)),
  resolve: (value, projectDir) =>
    value.map((each) => {
      const paths = Object.entries(each).map(([part, path]) => [part, file.resolve?.(path, projectDir)]);
      return Object.fromEntries(paths) as CertificateFiles;
    }),
};

function isCertificate(value: unknown): value is CertificateFiles {
  if (!isTable(value) || !Object.hasOwn(value, 'cert')) return false;
  return Object.entries(value).every(([part, path]) => parts.includes(part) && file.accepts(path));
}
