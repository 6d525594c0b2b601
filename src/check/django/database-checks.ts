import type { DatabaseFacts, ExaminedDatabase } from '../../contracts/deployment-facts.js';
import { isThreaded } from '../../contracts/project-facts.js';
import { type Check, type DjangoSubject, djangoCheck, type Fault } from '../check.js';

/** Databases that are asked over a connection. */
export const databaseChecks: readonly Check[] = [
  djangoCheck({
    name: 'database-unreachable',
    severity: 'error',
    doc: 'A database cannot be asked',
    isQuick: false,
    find: (subject) =>
      examined(subject).flatMap(({ alias, failure }) =>
        failure === undefined
          ? []
          : [
              {
                message: `The database ${JSON.stringify(alias)} cannot be asked: ${failure}`,
                fix: `DATABASES in ${subject.project.settingsModule}; python manage.py dbshell tries it`,
              },
            ],
      ),
  }),
  djangoCheck({
    name: 'migrations-unapplied',
    severity: 'warning',
    doc: 'Migrations that a database has not had',
    isQuick: false,
    find: (subject) =>
      examined(subject).flatMap(({ alias, unapplied }) =>
        unapplied.length === 0
          ? []
          : [
              {
                message: `The database ${JSON.stringify(alias)} has not had ${describeMigrations(unapplied)}: pages that need them fail.`,
                fix: `${subject.project.python.path} manage.py migrate${alias === 'default' ? '' : ` --database ${alias}`}`,
              },
            ],
      ),
  }),
  djangoCheck({
    name: 'conn-max-age-zero',
    severity: 'note',
    doc: '`CONN_MAX_AGE = 0` with threads: each request connects to the database anew',
    find: (subject) =>
      isThreaded(subject.project.server)
        ? overNetwork(subject)
            .filter(({ connMaxAgeSeconds, poolSize }) => connMaxAgeSeconds === 0 && poolSize === null)
            .map(({ alias }) => ({
              message: `CONN_MAX_AGE of the database ${JSON.stringify(alias)} is 0: each request connects anew.`,
              fix: `"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True in DATABASES of ${subject.project.settingsModule}`,
            }))
        : [],
  }),
  djangoCheck({
    name: 'conn-max-age-asgi',
    severity: 'warning',
    doc: '`CONN_MAX_AGE` is set under ASGI',
    find: (subject) =>
      isThreaded(subject.project.server)
        ? []
        : databases(subject)
            .filter(({ connMaxAgeSeconds }) => connMaxAgeSeconds !== 0)
            .map(({ alias, connMaxAgeSeconds }) => ({
              message: `CONN_MAX_AGE of the database ${JSON.stringify(alias)} is ${connMaxAgeSeconds}: Django says to leave it at 0 under ASGI, and to use the pool of the database backend.`,
              fix: `"CONN_MAX_AGE": 0 in DATABASES of ${subject.project.settingsModule}`,
            })),
  }),
  djangoCheck({
    name: 'database-connections',
    severity: 'error',
    doc: 'More threads than the database takes connections (a warning where it is so only during a reload)',
    isQuick: false,
    find: (subject) =>
      isThreaded(subject.project.server)
        ? examined(subject).flatMap((database) => findTooMany(subject, database))
        : [],
  }),
];

// Private

function databases({ project }: DjangoSubject): readonly DatabaseFacts[] {
  return project.django.deployment?.databases ?? [];
}

function overNetwork(subject: DjangoSubject): readonly DatabaseFacts[] {
  return databases(subject).filter(({ sqlite }) => sqlite === undefined);
}

function examined({ project }: DjangoSubject): readonly ExaminedDatabase[] {
  return project.django.examination?.databases ?? [];
}

const mostNamed = 3;

function describeMigrations(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed).join(', ');
  const left = names.length - mostNamed;
  return left > 0 ? `${shown} and ${left} more migrations` : shown;
}

/** A reload has two generations side by side. */
function findTooMany(subject: DjangoSubject, { alias, maxConnections }: ExaminedDatabase): readonly Fault[] {
  if (maxConnections === undefined || maxConnections === null) return [];
  const { processes, threads } = subject.plan;
  const pool = databases(subject).find((database) => database.alias === alias)?.poolSize ?? null;
  const each = pool === null ? threads : Math.min(pool, threads);
  const most = processes * each;
  if (2 * most <= maxConnections) return [];
  const isAlways = most > maxConnections;
  const count = `${processes} × ${each} connections${isAlways ? '' : ', twice that during a reload,'}`;
  const fitting = Math.max(1, Math.floor(maxConnections / (2 * processes)));
  return [
    {
      message: `The site opens up to ${count} and the database ${JSON.stringify(alias)} takes ${maxConnections}: requests fail under load.`,
      fix: `easyserve start --threads ${fitting}, or raise max_connections of the database`,
      severity: isAlways ? 'error' : 'warning',
    },
  ];
}
