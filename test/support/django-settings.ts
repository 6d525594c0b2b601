import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** Adds lines of Python to the settings of a copied Django site: for `prepare` of startEasyserve. */
export function addDjangoSettings(dir: string, lines: readonly string[]): void {
  appendFileSync(join(dir, 'photojournal', 'settings.py'), `\n${lines.join('\n')}\n`);
}

/** The storage that hashes no names: it needs no collectstatic. */
export const plainStaticStorage =
  "STORAGES['staticfiles'] = {'BACKEND': 'django.contrib.staticfiles.storage.StaticFilesStorage'}";
