import { nearestName } from '../settings/nearest-name.js';
import { type Problem, throwProblems } from '../settings/problem.js';

/** What app/python/inspect_cheroot.py reports of the Cheroot that the project has. */
export interface CherootReport {
  /** `Cheroot/11.1.2` */
  readonly version: string;
  /** The keywords of cheroot.wsgi.Server, each with the type of its default. */
  readonly keywords: Readonly<Record<string, string>>;
}

/** easyserve says where Cheroot listens and what it serves. */
const ours: ReadonlyMap<string, string> = new Map([
  [
    'bind_addr',
    'Cheroot listens on a socket of its own for easyserve; where the site listens is host and port',
  ],
  ['wsgi_app', 'the application is what app or WSGI_APPLICATION names'],
]);

/** Keywords whose default None does not tell which type they take. */
const special: Readonly<Record<string, readonly string[]>> = {
  server_name: ['str', 'none'],
  timeout: ['float', 'none'],
  shutdown_timeout: ['float', 'none'],
  accepted_queue_timeout: ['float', 'none'],
};

/** Of each type that a default can have: its name, and which values of JSON are of it. */
const types: Readonly<Record<string, readonly [name: string, accepts: (value: unknown) => boolean]>> = {
  int: ['a whole number', Number.isSafeInteger],
  float: ['a number', (value) => typeof value === 'number'],
  bool: ['true or false', (value) => typeof value === 'boolean'],
  str: ['a text', (value) => typeof value === 'string'],
  none: ['None', (value) => value === null],
};

/**
 * Throws SettingsError with every keyword that the installed Cheroot does not take, or not with this value. Cheroot itself
 * would refuse them only when it starts, and some values never.
 */
export function checkCherootKeywords(given: Readonly<Record<string, unknown>>, report: CherootReport): void {
  throwProblems(Object.entries(given).flatMap(([name, value]) => checkKeyword(name, value, report)));
}

/** The front closes an idle connection after 4 s (front/upstream/http-client), and has to be earlier than Cheroot. */
export function warnOfTimeout({ timeout }: Readonly<Record<string, unknown>>): readonly string[] {
  if (typeof timeout !== 'number' || timeout > FRONT_IDLE_SECONDS) return [];
  return [
    `The cheroot setting has timeout = ${timeout}: make it longer than ${FRONT_IDLE_SECONDS} s, or Cheroot closes connections that easyserve is about to use`,
  ];
}

// Private

const FRONT_IDLE_SECONDS = 4;

function checkKeyword(name: string, value: unknown, { keywords, version }: CherootReport): Problem[] {
  const reason = ours.get(name);
  if (reason !== undefined) {
    return [{ code: 'conflicting-settings', message: `cheroot: ${name} cannot be set: ${reason}` }];
  }
  const type = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
  if (type === undefined) {
    const meant = nearestName(
      name,
      Object.keys(keywords).filter((known) => !ours.has(known)),
    );
    return [
      {
        code: 'unknown-setting',
        message: `cheroot: ${version} has no keyword ${JSON.stringify(name)}`,
        hint: meant === undefined ? undefined : `did you mean ${meant}?`,
      },
    ];
  }
  const taken = (special[name] ?? [type]).map((each) => types[each]);
  if (taken.some((each) => each === undefined || each[1](value))) return [];
  const allowed = taken.map((each) => each?.[0]).join(' or ');
  return [
    {
      code: 'malformed-setting',
      message: `cheroot: ${name} must be ${allowed}, not ${JSON.stringify(value)}`,
    },
  ];
}
