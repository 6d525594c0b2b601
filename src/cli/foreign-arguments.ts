import { quote } from './text/typed-command.js';

/**
 * What people type who know gunicorn, uvicorn, hypercorn or Django's runserver, in easyserve's words.
 *
 * Sources: gunicorn "Settings" (docs.gunicorn.org/en/stable/settings.html), uvicorn "Settings" (www.uvicorn.org/settings).
 */
export function translateArguments(argv: readonly string[]): string | undefined {
  const [verb = '', ...rest] = knownVerb(argv);
  const words: string[] = [];
  let isForeign = verb !== argv[0];
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? '';
    const { name, value: attached } = splitFlag(word);
    const translate = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (translate === undefined) {
      const app = asApplication(word, rest[index - 1]);
      isForeign ||= app !== undefined;
      words.push(app ?? word);
      continue;
    }
    isForeign = true;
    const takesValue = translate.length > 0;
    const value = attached ?? (takesValue ? rest[++index] : undefined);
    words.push(...translate(value ?? '…'));
  }
  return isForeign ? ['easyserve', verb, ...words].join(' ') : undefined;
}

type Translate = (value: string) => readonly string[];

const set =
  (key: string, unit = ''): Translate =>
  (value) => [`--set ${key}=${value}${unit}`];
const rename =
  (flag: string): Translate =>
  (value) => [`${flag} ${value}`];
/** easyserve does it by itself, or not at all. */
const omit: Translate = () => [];
const omitWithValue: Translate = (_value) => [];

/** Settings in milliseconds: `30` seconds are `30000`. */
const inMilliseconds = (key: string): Translate => set(key, '000');

const flags: Readonly<Record<string, Translate>> = {
  '--workers': rename('--processes'),
  '-w': rename('--processes'),
  '--bind': bind,
  '-b': bind,
  '-p': rename('--port'),
  '-a': bind,
  '-h': bind,
  '--uds': (path) => [`--set host=unix:${path}`],
  '--app': set('app'),
  '--factory': omit,
  '--app-dir': rename('-C'),
  '--chdir': rename('-C'),
  '--settings': set('settingsModule'),
  '--pythonpath': omitWithValue,
  '--worker-class': chooseServer,
  '-k': chooseServer,
  '--worker-connections': set('concurrency'),
  '--limit-concurrency': set('concurrency'),
  '--timeout': inMilliseconds('requestTimeoutMs'),
  '-t': inMilliseconds('requestTimeoutMs'),
  '--graceful-timeout': inMilliseconds('drainTimeoutMs'),
  '--timeout-graceful-shutdown': inMilliseconds('drainTimeoutMs'),
  '--keep-alive': inMilliseconds('keepAliveTimeoutMs'),
  '--timeout-keep-alive': inMilliseconds('keepAliveTimeoutMs'),
  '--max-requests': set('recycleRequests'),
  '--limit-max-requests': set('recycleRequests'),
  '--max-requests-jitter': omitWithValue,
  '--certfile': set('tlsCert'),
  '--keyfile': set('tlsKey'),
  '--ssl-certfile': set('tlsCert'),
  '--ssl-keyfile': set('tlsKey'),
  '--forwarded-allow-ips': set('trustedProxies'),
  '--proxy-headers': omit,
  '--root-path': set('scriptName'),
  '--log-level': set('logLevel'),
  '--no-access-log': () => ['--set accessLog=false'],
  '--access-logfile': omitWithValue,
  '--error-logfile': omitWithValue,
  '--daemonize': () => ['--daemon'],
  '-D': () => ['--daemon'],
  '-u': set('user'),
  '-g': set('group'),
  '--group': set('group'),
  '--pid': omitWithValue,
  '--loop': omitWithValue,
  '--http': omitWithValue,
  '--reload': omit,
  '--preload': omit,
  '--noreload': omit,
  '--insecure': omit,
};

/** `0.0.0.0:8000`, `:8000`, `[::1]:8000`, `unix:/run/x.sock`, `8000`. */
function bind(address: string): readonly string[] {
  if (address.startsWith('unix:')) return [`--set host=${address}`];
  const [, host = '', port] = /^(.*?):?(\d+)?$/.exec(address.replace(/[[\]]/g, '')) ?? [];
  return [...(host === '' ? [] : [`--host ${host}`]), ...(port === undefined ? [] : [`--port ${port}`])];
}

function chooseServer(name: string): readonly string[] {
  const server = ['uvicorn', 'hypercorn', 'daphne'].find((each) => name.toLowerCase().includes(each));
  return server === undefined ? [] : [`--set server=${server}`];
}

const verbs: Readonly<Record<string, string>> = {
  run: 'start',
  serve: 'start',
  server: 'start',
  runserver: 'start',
  up: 'start',
  down: 'stop',
  ps: 'status',
  ls: 'status',
};

const ownVerbs = new Set(['start', 'config', 'check', 'install']);

/** The words with the verb first; an application or a flag without any is for `start`. */
function knownVerb(argv: readonly string[]): readonly string[] {
  const [first = '', ...rest] = argv;
  if (Object.hasOwn(verbs, first)) return [verbs[first] ?? first, ...rest];
  if (ownVerbs.has(first)) return argv;
  const isForStart = Object.hasOwn(flags, splitFlag(first).name) || asApplication(first) !== undefined;
  return isForStart ? ['start', ...argv] : argv;
}

function splitFlag(word: string): { readonly name: string; readonly value: string | undefined } {
  const [, name = word, value] = /^(--[\w-]+)=(.*)$/.exec(word) ?? [];
  return { name, value };
}

/** `shop.wsgi:application`, which gunicorn and uvicorn are given in place of a folder. */
function asApplication(word: string, before = ''): string | undefined {
  const isValue = before.startsWith('-') && !before.includes('=');
  return !isValue && /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$/.test(word)
    ? `--set app=${quote(word)}`
    : undefined;
}
