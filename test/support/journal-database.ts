import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { testPython } from './python-env.js';
import { repositoryRoot } from './repository.js';

/** The administrator that the database of each copied Django site has. */
export const journalAdmin = { username: 'admin', password: 'correct horse battery staple' } as const;

/**
 * Puts a migrated database with an administrator and three pictures into a copy of the Django site.
 *
 * Migrating takes seconds, and each test has its own copy: so it is done once for each state of the migrations and kept
 * in .cache. Test files run as processes of their own; the last step is a rename, so that none sees half a database.
 */
export function prepareJournalDatabase(site: string): void {
  const kept = join(repositoryRoot, '.cache', `journal-${stateOf(site)}`);
  if (!existsSync(kept)) makeDatabase(site, kept);
  cpSync(kept, site, { recursive: true });
}

function makeDatabase(site: string, kept: string): void {
  mkdirSync(join(repositoryRoot, '.cache'), { recursive: true });
  const work = mkdtempSync(join(repositoryRoot, '.cache', 'journal-new-'));
  try {
    cpSync(site, join(work, 'site'), { recursive: true });
    manage(join(work, 'site'), 'migrate', '--verbosity=0');
    manage(join(work, 'site'), 'seed_journal');
    manage(
      join(work, 'site'),
      'createsuperuser',
      '--noinput',
      '--username',
      journalAdmin.username,
      '--email',
      'admin@example.org',
    );
    mkdirSync(join(work, 'kept'));
    for (const name of ['db.sqlite3', 'media'])
      renameSync(join(work, 'site', name), join(work, 'kept', name));
    keep(join(work, 'kept'), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function keep(made: string, kept: string): void {
  try {
    renameSync(made, kept);
  } catch (error) {
    // Another test file was first, with the same content.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

function manage(site: string, ...args: readonly string[]): void {
  execFileSync(testPython(), ['manage.py', ...args], {
    cwd: site,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      DJANGO_SUPERUSER_PASSWORD: journalAdmin.password,
    },
  });
}

/** Changes whenever the database would come out otherwise. */
function stateOf(site: string): string {
  const hash = createHash('sha256').update(testPython()).update(journalAdmin.password);
  for (const folder of ['journal/migrations', 'journal/management/commands', 'journal/samples']) {
    for (const name of readdirSync(join(site, folder)).sort()) {
      if (/\.(py|png)$/.test(name)) hash.update(name).update(readFileSync(join(site, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
