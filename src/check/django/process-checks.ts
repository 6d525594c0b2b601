import type { DeploymentFacts } from '../../contracts/deployment-facts.js';
import { type Check, type DjangoSubject, djangoCheck, type Fault } from '../check.js';

const localCache = /\blocmem\b|LocMemCache$/;
const sharedCache =
  'CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:6379"}}';
const sessionsInDatabase = 'SESSION_ENGINE = "django.contrib.sessions.backends.db"';

/** What each process would have for itself, and all of them should share. */
export const processChecks: readonly Check[] = [
  djangoCheck({
    name: 'sessions-per-process',
    severity: 'error',
    doc: 'Sessions in the memory of a process, with several processes (a warning where the database has them too, as with `cached_db`)',
    find: (subject) =>
      inSeveral(subject, ({ sessions, caches }) => {
        const [, engine] =
          /^django\.contrib\.sessions\.backends\.(cache|cached_db)$/.exec(sessions?.engine ?? '') ?? [];
        if (engine === undefined || !localCache.test(caches?.backends[sessions?.cache ?? ''] ?? ''))
          return [];
        const isCopy = engine === 'cached_db';
        const consequence = isCopy
          ? 'visitors see old values of their sessions'
          : 'visitors are signed out at random';
        return [
          {
            severity: isCopy ? 'warning' : 'error',
            message: `Sessions are kept in LocMemCache, which each of the ${subject.plan.processes} processes has for itself: ${consequence}.`,
            fix: `${sessionsInDatabase} in ${subject.project.settingsModule}`,
          },
        ];
      }),
  }),
  djangoCheck({
    name: 'cache-per-process',
    severity: 'warning',
    doc: '`LocMemCache` with several processes (a note where `CACHES` is not set)',
    find: (subject) =>
      inSeveral(subject, ({ caches }) => {
        const local = Object.entries(caches?.backends ?? {}).filter(([, backend]) =>
          localCache.test(backend),
        );
        if (local.length === 0) return [];
        const names = local.map(([alias]) => JSON.stringify(alias)).join(', ');
        return [
          {
            message: `The cache ${names} is LocMemCache, which each of the ${subject.plan.processes} processes has for itself: what one stores or deletes the others don't see.`,
            fix: `${sharedCache} in ${subject.project.settingsModule}`,
            severity: caches?.isSet ? 'warning' : 'note',
          },
        ];
      }),
  }),
  djangoCheck({
    name: 'sessions-in-files',
    severity: 'warning',
    doc: 'Sessions in files, with several processes',
    find: (subject) =>
      inSeveral(subject, ({ sessions }) =>
        sessions?.engine !== 'django.contrib.sessions.backends.file'
          ? []
          : [
              {
                message: `Sessions are kept in files, which no lock keeps ${subject.plan.processes} processes from writing at once: changes are lost.`,
                fix: `${sessionsInDatabase} in ${subject.project.settingsModule}`,
              },
            ],
      ),
  }),
  djangoCheck({
    name: 'channel-layer-per-process',
    severity: 'error',
    doc: 'The in-memory channel layer of Channels, with several processes',
    find: (subject) =>
      inSeveral(subject, ({ channelLayer }) =>
        channelLayer === undefined || !/\bInMemoryChannelLayer$/.test(channelLayer)
          ? []
          : [
              {
                message: `The channel layer is in memory, which each of the ${subject.plan.processes} processes has for itself: messages reach only visitors of the same one.`,
                fix: `CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [("127.0.0.1", 6379)]}}} in ${subject.project.settingsModule}`,
              },
            ],
      ),
  }),
];

// Private

function inSeveral(
  { plan, project }: DjangoSubject,
  find: (facts: DeploymentFacts) => readonly Fault[],
): readonly Fault[] {
  return plan.processes > 1 ? find(project.django.deployment ?? {}) : [];
}
