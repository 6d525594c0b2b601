import type { DatabaseFacts, ExaminedDatabase } from '../../contracts/deployment-facts.js';
import { isThreaded } from '../../contracts/project-facts.js';
import { manageCommand } from '../../project/manage-command.js';
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
        failure === undefined || failure === null
          ? []
          : [
              {
                message: `The database ${JSON.stringify(alias)} cannot be asked: ${failure}`,
                fix: `DATABASES in ${subject.project.settingsModule}; ${manageCommand(subject.project, `dbshell${optionFor(alias)}`)} tries it`,
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
                fix: `${asUser(subject)}${manageCommand(subject.project, `migrate${optionFor(alias)}`)}`,
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
    doc: 'More threads, or more connections of pools, than the database takes (a warning where it is so only during a reload); databases of one server are counted together',
    isQuick: false,
    find: (subject) =>
      [...byServer(subject).values()].flatMap((databases) => findTooMany(subject, databases)),
  }),
];

// Private

/** Root that migrates would be the owner of a new SQLite database, which the site could not write. */
function asUser({ machine: { asRoot, user } }: DjangoSubject): string {
  return asRoot === '' && user !== 'root' ? `runuser -u ${user} -- ` : '';
}

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

function optionFor(alias: string): string {
  return alias === 'default' ? '' : ` --database ${alias}`;
}

type LimitedDatabase = DatabaseFacts & { readonly maxConnections: number };

/** Those that say how many connections they take; some of one server share them. */
function byServer(subject: DjangoSubject): ReadonlyMap<string, readonly LimitedDatabase[]> {
  const found = new Map<string, LimitedDatabase[]>();
  for (const database of databases(subject)) {
    const said = examined(subject).find(({ alias }) => alias === database.alias);
    const { maxConnections = null } = said ?? {};
    if (maxConnections === null) continue;
    found.set(database.server, [...(found.get(database.server) ?? []), { ...database, maxConnections }]);
  }
  return found;
}

/** A reload has two generations side by side. */
function findTooMany(subject: DjangoSubject, those: readonly LimitedDatabase[]): readonly Fault[] {
  const { processes } = subject.plan;
  const each = those.reduce((sum, { poolSize }) => sum + connectionsOf(subject, poolSize), 0);
  const limit = Math.min(...those.map(({ maxConnections }) => maxConnections));
  const most = processes * each;
  if (2 * most <= limit) return [];
  const isAlways = most > limit;
  const count = `${processes} × ${each} connections${isAlways ? '' : ', twice that during a reload,'}`;
  const names = those.map(({ alias }) => JSON.stringify(alias)).join(', ');
  return [
    {
      message: `The site opens up to ${count} and the database ${names} takes ${limit}: requests fail under load.`,
      fix: fixTooMany(subject, those, Math.floor(limit / (2 * processes * those.length))),
      severity: isAlways ? 'error' : 'warning',
    },
  ];
}

/** Of one process. Under ASGI only a pool bounds them. */
function connectionsOf({ plan, project }: DjangoSubject, poolSize: number | null): number {
  const most = isThreaded(project.server) ? plan.threads : Number.POSITIVE_INFINITY;
  const connections = Math.min(poolSize ?? Number.POSITIVE_INFINITY, most);
  return Number.isFinite(connections) ? connections : 0;
}

function fixTooMany({ plan, project }: DjangoSubject, those: readonly DatabaseFacts[], each: number): string {
  const raise = 'or raise max_connections of the database';
  if (each === 0) return `easyserve start --processes ${Math.max(1, plan.processes >> 1)}, ${raise}`;
  if (those.every(({ poolSize }) => poolSize !== null)) {
    return `"pool": {"min_size": 1, "max_size": ${each}} in DATABASES of ${project.settingsModule}, ${raise}`;
  }
  return `easyserve start --threads ${each}, ${raise}`;
}
