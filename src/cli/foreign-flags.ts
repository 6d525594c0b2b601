/**
 * What a flag of another program is here: words of the command line, with its value; no words: easyserve does it by itself, or not at
 * all. By how many parameters it has, 1 or 0, the next word is taken for the flag's value or not.
 */
export type Translate = (value: string) => readonly string[];

const set =
  (key: string): Translate =>
  (value) => [`--set ${key}=${value}`];
const rename =
  (flag: string): Translate =>
  (value) => [`${flag} ${value}`];
const as =
  (...words: readonly string[]): Translate =>
  () =>
    words;
const omit: Translate = () => [];
const omitWithValue: Translate = (_value) => [];
/** Settings in milliseconds: `30` seconds are `30000`. */
const inMilliseconds =
  (key: string): Translate =>
  (value) => [`--set ${key}=${Math.round(Number.parseFloat(value) * 1000) || 0}`];
const spread = (translate: Translate, names: string): Record<string, Translate> =>
  Object.fromEntries(names.split(' ').map((name) => [name, translate]));

/**
 * The flags of gunicorn, uvicorn, hypercorn, granian, waitress, uWSGI, pm2, Flask and Django's runserver, as their documentation of
 * settings lists them. Those that easyserve has too are not looked up here.
 */
export const foreignFlags: Readonly<Record<string, Translate>> = {
  ...spread(processes, '--workers -w --instances -i --processes'),
  ...spread(bind, '--bind -b -a --listen -l --insecure-bind --http-socket --socket --addr --address'),
  ...spread(bindHttp, '--http'),
  ...spread(rename('--port'), '-p'),
  ...spread((path) => [`--set host=unix:${path}`], '--uds --unix-socket -u'),
  ...spread(nameApplication, '--app -A --module --wsgi'),
  ...spread(rename('-C'), '--app-dir --chdir --cwd --working-dir'),
  ...spread(set('settingsModule'), '--settings'),
  ...spread(set('python'), '--virtualenv --venv --home -H'),
  ...spread(chooseServer, '--worker-class -k'),
  ...spread(chooseInterface, '--interface'),
  ...spread(rename('--threads'), '--blocking-threads'),
  ...spread(set('concurrency'), '--worker-connections --limit-concurrency --backpressure'),
  ...spread(inMilliseconds('requestTimeoutMs'), '--timeout -t --harakiri'),
  ...spread(inMilliseconds('drainTimeoutMs'), '--graceful-timeout --timeout-graceful-shutdown'),
  ...spread(inMilliseconds('keepAliveTimeoutMs'), '--keep-alive --timeout-keep-alive --keepalive'),
  ...spread(set('recycleRequests'), '--max-requests --limit-max-requests'),
  ...spread(set('tlsCert'), '--certfile --ssl-certfile --ssl-certificate --cert'),
  ...spread(set('tlsKey'), '--keyfile --ssl-keyfile --key'),
  ...spread(set('trustedProxies'), '--forwarded-allow-ips --trusted-proxy'),
  ...spread(set('scriptName'), '--root-path --url-prefix --url-path-prefix'),
  ...spread(set('logLevel'), '--log-level'),
  ...spread(set('user'), '--user --uid'),
  ...spread(set('group'), '--group -g --gid'),
  ...spread(configuration, '-c --config'),
  ...spread(as('--set accessLog=false'), '--no-access-log'),
  ...spread(as('--set logLevel=debug'), '--debug --verbose'),
  ...spread(as('--set logLevel=warn'), '--quiet -q --silent'),
  ...spread(as('--set fallback=index.html'), '--single -s'),
  ...spread(as('--daemon'), '--daemonize -D -d --detach --background --fork'),
  ...spread(as('--https'), '--ssl --tls'),
  ...spread(
    omit,
    '--factory --proxy-headers --no-proxy-headers --reload --no-reload --preload --noreload --insecure --nostatic ' +
      '--watch --no-daemon --time --attach --now --prod --production --open --master -M --vacuum --die-on-term ' +
      '--enable-threads --need-app --access-log --use-colors --no-use-colors --date-header --no-date-header ' +
      '--server-header --no-server-header --respawn-failed-workers --ws --no-ws --reuse-port --capture-output --call',
  ),
  ...spread(
    omitWithValue,
    '--pythonpath --max-requests-jitter --limit-max-requests-jitter --access-logfile --error-logfile --log-file --log-config ' +
      '--access-logformat --pid --pidfile --loop --lifespan --worker-tmp-dir --runtime-threads --runtime-mode --task-impl ' +
      '--reload-dir --name -n --env --exec-mode -x --interpreter --cron-restart --max-memory-restart --output --error ' +
      '--log --callable --process-name --websocket-ping-interval --ws-ping-interval --proc-name --limit-request-line',
  ),
};

/** pm2 has `max` and 0 for one on each core. */
function processes(count: string): readonly string[] {
  return [`--processes ${/^(max|auto|0|-\d+)$/.test(count) ? 'auto' : count}`];
}

/** `0.0.0.0:8000`, `*:8000`, `:8000`, `[::1]:8000`, `unix:/run/x.sock`, `tcp://…`, `8000`. */
export function bind(address: string): readonly string[] {
  if (address.startsWith('unix:'))
    return [`--set host=unix:${address.slice('unix:'.length).replace(/^\/\//, '')}`];
  if (address.startsWith('/')) return [`--set host=unix:${address}`];
  const bare = address.replace(/^(?:tcp|https?):\/\//, '').replace(/[[\]/]/g, '');
  const [, host = '', port] = /^(.*?):?(\d+)?$/.exec(bare) ?? [];
  const named = host === '' || host === '*' ? [] : [`--host ${host}`];
  return [...named, ...(port === undefined ? [] : [`--port ${port}`])];
}

/** An address with uWSGI; uvicorn's and granian's is a kind of parser. */
function bindHttp(value: string): readonly string[] {
  return /\d/.test(value) && value.includes(':') ? bind(value) : [];
}

/** The callable is `application` where gunicorn and uWSGI are given a module alone. */
function nameApplication(name: string): readonly string[] {
  return [`--set app=${name.includes(':') ? name : `${name}:application`}`];
}

function chooseServer(name: string): readonly string[] {
  const server = ['uvicorn', 'hypercorn', 'daphne'].find((each) => name.toLowerCase().includes(each));
  return server === undefined ? [] : [`--set server=${server}`];
}

function chooseInterface(name: string): readonly string[] {
  const found = ['wsgi', 'asgi'].find((each) => name.toLowerCase().startsWith(each));
  return found === undefined ? [] : [`--set interface=${found}`];
}

/** A program of gunicorn's settings is not read here. */
function configuration(file: string): readonly string[] {
  return /\.(toml|ya?ml|json)$/.test(file) ? [`--config ${file}`] : [];
}
