/** What docker, pm2, systemctl, npm and the usual web servers call it, by the verb of easyserve. */
const names: Readonly<Record<string, string>> = {
  start: 'run serve server runserver up launch begin dev deploy daemon preview',
  stop: 'down kill quit halt end shutdown terminate delete',
  status: 'ps ls list info show describe monit top is-active health stat',
  logs: 'tail journal',
  reload: 'graceful force-reload hup refresh update reload-or-restart',
  restart: 'try-restart bounce',
  install: 'enable startup save setup',
  uninstall: 'disable unstartup remove',
  check: 'doctor test configtest validate verify lint diagnose',
  config: 'settings conf env',
};

/** Programs that were called in front of what is meant: `easyserve gunicorn shop.wsgi`. */
const programs = 'gunicorn uvicorn hypercorn daphne granian waitress-serve uwsgi';

const verbs = new Map(
  Object.entries({ ...names, start: `${names.start} ${programs}` }).flatMap(([verb, others]) =>
    others.split(' ').map((other) => [other, verb] as const),
  ),
);

/** The verb of easyserve for that of another program; undefined where none is meant. */
export function translateVerb(word: string): string | undefined {
  return verbs.get(word);
}
