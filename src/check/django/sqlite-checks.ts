import type { DatabaseFacts, SqliteFacts } from '../../contracts/deployment-facts.js';
import { type Check, type DjangoSubject, djangoCheck } from '../check.js';

/** Python's own (sqlite3.connect); under load a writer waits longer. */
const shortestTimeoutSeconds = 10;
/** `init_command` came with it (Django 5.1 release notes). */
const settingsWithCommand = [5, 1] as const;

export const sqliteChecks: readonly Check[] = [
  djangoCheck({
    name: 'sqlite-locking',
    severity: 'warning',
    doc: 'SQLite without a write-ahead log, or without a `timeout`',
    find: (subject) =>
      onDisk(subject)
        .filter(({ sqlite }) => !isFit(sqlite))
        .map(({ alias, sqlite }) => ({
          message: `SQLite (the database ${JSON.stringify(alias)}) has ${describeLack(sqlite)}: while one request writes, others fail with "database is locked".`,
          fix: describeFix(subject, sqlite),
        })),
  }),
  djangoCheck({
    name: 'sqlite-several-processes',
    severity: 'warning',
    doc: 'SQLite with several processes (a note where it has a write-ahead log and a `timeout`)',
    find: (subject) =>
      subject.plan.processes < 2
        ? []
        : onDisk(subject).map(({ alias, sqlite }) => ({
            message: `${subject.plan.processes} processes write to one file of SQLite (the database ${JSON.stringify(alias)}), which takes one writer at a time.`,
            fix: 'one process: easyserve start --processes 1; or PostgreSQL',
            severity: isFit(sqlite) ? 'note' : 'warning',
          })),
  }),
];

// Private

type SqliteDatabase = DatabaseFacts & { readonly sqlite: SqliteFacts };

/** One in memory is a test's, and has no file that others could lock. */
function onDisk({ project }: DjangoSubject): readonly SqliteDatabase[] {
  return (project.django.deployment?.databases ?? []).filter(
    (database): database is SqliteDatabase => database.sqlite !== undefined && database.sqlite.file !== null,
  );
}

function isFit({ isWal, timeoutSeconds }: SqliteFacts): boolean {
  return isWal && hasTimeout(timeoutSeconds);
}

function hasTimeout(seconds: number | null): boolean {
  return seconds !== null && seconds >= shortestTimeoutSeconds;
}

function describeLack({ isWal, timeoutSeconds }: SqliteFacts): string {
  const lacks = [
    ...(isWal ? [] : ['no write-ahead log']),
    ...(hasTimeout(timeoutSeconds) ? [] : [`a timeout of ${timeoutSeconds ?? 5} s`]),
  ];
  return lacks.join(' and ');
}

/** A write-ahead log is a property of the file, and stays (sqlite.org/wal.html, "Persistence of WAL Mode"). */
function describeFix({ project }: DjangoSubject, { file }: SqliteFacts): string {
  const { django, settingsModule } = project;
  const place = `in DATABASES of ${settingsModule}`;
  const [major = 0, minor = 0] = django.version.split('.').map(Number);
  const [firstMajor, firstMinor] = settingsWithCommand;
  if (major > firstMajor || (major === firstMajor && minor >= firstMinor)) {
    return `"OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"} ${place}`;
  }
  return `"OPTIONS": {"timeout": 20} ${place}, and once: sqlite3 ${file} "PRAGMA journal_mode=WAL"`;
}
