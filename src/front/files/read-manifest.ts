import { readFile } from 'node:fs/promises';
import { ApplicationError } from '../../contracts/errors.js';

/**
 * The hashed names in Django's staticfiles.json: the values of `paths` (ManifestFilesMixin.load_manifest). A
 * missing file means none: the project uses another storage, or hasn't collected yet.
 *
 * Throws ApplicationError `static-manifest` for a file that can't be understood; Django would refuse it as well.
 */
export async function readManifest(path: string): Promise<ReadonlySet<string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
  return new Set(hashedNames(text, path));
}

function* hashedNames(text: string, path: string): Generator<string> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw malformed(path);
  }
  const paths = (manifest as { paths?: unknown } | null)?.paths;
  if (typeof paths !== 'object' || paths === null) throw malformed(path);
  for (const [name, hashed] of Object.entries(paths)) {
    // A name that maps to itself was not hashed, so its content may change.
    if (typeof hashed === 'string' && hashed !== name) yield hashed;
  }
}

function malformed(path: string): ApplicationError {
  return new ApplicationError('static-manifest', `${path} is not a staticfiles manifest.`, {
    hint: 'python manage.py collectstatic --clear --noinput',
  });
}
