import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../../src/cli/command.js';
import { parseCommandLine } from '../../../src/cli/program.js';
import { EasyserveError, ExitCode } from '../../../src/contracts/errors.js';

const here = { base: undefined, dir: undefined };
const noSettings = { configFile: undefined, flags: [] };

const understood: readonly (readonly [string, Command])[] = [
  ['start', { verb: 'start', project: here, ...noSettings, isDaemon: false, readyFd: undefined }],
  [
    'start site --daemon',
    {
      verb: 'start',
      project: { base: undefined, dir: 'site' },
      ...noSettings,
      isDaemon: true,
      readyFd: undefined,
    },
  ],
  ['stop', { verb: 'stop', project: here }],
  ['reload /srv/site', { verb: 'reload', project: { base: undefined, dir: '/srv/site' } }],
  ['restart', { verb: 'restart', project: here }],
  ['-C /srv status site', { verb: 'status', project: { base: '/srv', dir: 'site' }, asJson: false }],
  ['status --json -C /srv', { verb: 'status', project: { base: '/srv', dir: undefined }, asJson: true }],
  ['scale 4', { verb: 'scale', project: here, processes: 4 }],
  ['scale 4 site', { verb: 'scale', project: { base: undefined, dir: 'site' }, processes: 4 }],
  ['logs', { verb: 'logs', project: here, follow: false, lines: 100 }],
  ['logs -f -n 5', { verb: 'logs', project: here, follow: true, lines: 5 }],
  ['logs -n0', { verb: 'logs', project: here, follow: false, lines: 0 }],
  ['config --json', { verb: 'config', project: here, ...noSettings, asJson: true }],
  ['check', { verb: 'check', project: here, ...noSettings, silenced: [], asJson: false, isStrict: false }],
  [
    'check --strict --json --silence debug-on --silence django.security.W004',
    {
      verb: 'check',
      project: here,
      ...noSettings,
      silenced: ['debug-on', 'django.security.W004'],
      asJson: true,
      isStrict: true,
    },
  ],
];

for (const [line, command] of understood) {
  test(`easyserve ${line}`, () => {
    assert.deepEqual(parseCommandLine(line.split(' '), '1.2.3'), command);
  });
}

test('settings come in the order in which they were given, each with its name', () => {
  const line =
    'start --port 1 --set drainTimeoutMs=5000 --host ::1 --processes auto --threads 4 --fronts 2 --port=2 ' +
    '--https --log-format json --set healthPath=/up?a=b --set empty= --config prod.toml';
  const command = parseCommandLine(line.split(' '), '1.2.3');
  assert.equal(command.verb, 'start');
  assert.deepEqual('flags' in command && [command.configFile, command.flags], [
    'prod.toml',
    [
      { key: 'port', value: '1', flag: '--port' },
      { key: 'drainTimeoutMs', value: '5000', flag: '--set drainTimeoutMs' },
      { key: 'host', value: '::1', flag: '--host' },
      { key: 'processes', value: 'auto', flag: '--processes' },
      { key: 'threads', value: '4', flag: '--threads' },
      { key: 'fronts', value: '2', flag: '--fronts' },
      { key: 'port', value: '2', flag: '--port' },
      { key: 'https', value: 'true', flag: '--https' },
      { key: 'logFormat', value: 'json', flag: '--log-format' },
      { key: 'healthPath', value: '/up?a=b', flag: '--set healthPath' },
      { key: 'empty', value: '', flag: '--set empty' },
    ],
  ]);
});

test('settings of one parse do not show up in the next', () => {
  parseCommandLine(['start', '--port', '1'], '1.2.3');
  const command = parseCommandLine(['start'], '1.2.3');
  assert.deepEqual('flags' in command && command.flags, []);
});

const misunderstood: readonly (readonly [string, RegExp, RegExp])[] = [
  ['strat', /unknown command 'strat'/, /did you mean start\?/],
  ['frobnicate', /unknown command 'frobnicate'/, /easyserve --help/],
  ['start --prot 80', /unknown option '--prot'/, /did you mean --port\?/],
  ['start --port', /'--port <number>' argument missing/, /easyserve start --help/],
  ['start a b', /too many arguments/, /easyserve start --help/],
  ['start --set port', /key=value/, /easyserve start --help/],
  ['start --set =80', /key=value/, /easyserve start --help/],
  ['scale', /missing required argument 'processes'/, /easyserve scale --help/],
  ['scale 0', /whole number from 1 on/, /easyserve scale --help/],
  ['scale 2x', /whole number from 1 on/, /easyserve scale --help/],
  ['scale -- -2', /whole number from 1 on/, /easyserve scale --help/],
  ['logs -n many', /whole number from 0 on/, /easyserve logs --help/],
  ['reload --json', /unknown option '--json'/, /easyserve reload --help/],
];

for (const [line, message, hint] of misunderstood) {
  test(`easyserve ${line} is refused with the way out`, () => {
    assert.throws(
      () => parseCommandLine(line.split(' '), '1.2.3'),
      (error) => {
        assert.ok(error instanceof EasyserveError);
        assert.equal(error.exitCode, ExitCode.usage);
        assert.equal(error.code, 'usage');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /^error:|\n/);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  });
}

for (const [line, meant] of [
  ['start --workers 4 --bind 0.0.0.0:8000', 'start --processes 4 --host 0.0.0.0 --port 8000'],
  ['start -w 4 -b :8000', 'start --processes 4 --port 8000'],
  ['start --workers=4 -b unix:/run/x.sock site', 'start --processes 4 --set host=unix:/run/x.sock site'],
  ['start -p 8001', 'start --port 8001'],
  ['start --app shop.wsgi:application', 'start --set app=shop.wsgi:application'],
  ['start shop.wsgi:application --reload', 'start --set app=shop.wsgi:application'],
  [
    'main:app --host 0.0.0.0 --port 80 --workers 2',
    'start --set app=main:app --host 0.0.0.0 --port 80 --processes 2',
  ],
  [
    'start -k uvicorn.workers.UvicornWorker --timeout 60',
    'start --set server=uvicorn --set requestTimeoutMs=60000',
  ],
  ['start --worker-class gthread --threads 8', 'start --threads 8'],
  ['check --root-path /shop --no-access-log', 'check --set scriptName=/shop --set accessLog=false'],
  ['runserver --noreload', 'start'],
  ['serve site', 'start site'],
  ['--workers 4', 'start --processes 4'],
  [
    'start -w 4 -b 0.0.0.0:8000 shop.wsgi',
    'start --processes 4 --host 0.0.0.0 --port 8000 --set app=shop.wsgi:application',
  ],
  ['gunicorn shop.wsgi -w 3 -c gunicorn.conf.py', 'start --set app=shop.wsgi:application --processes 3'],
  ['start --config gunicorn.conf.py --workers 2', 'start --processes 2'],
  ['runserver 0.0.0.0:8000', 'start --host 0.0.0.0 --port 8000'],
  ['runserver 8080 --settings shop.dev', 'start --port 8080 --set settingsModule=shop.dev'],
  ['start --timeout 0.5 --graceful-timeout 0', 'start --set requestTimeoutMs=500 --set drainTimeoutMs=0'],
  // granian, waitress, uWSGI
  [
    'start --interface asginl main:app --blocking-threads 4',
    'start --set interface=asgi --set app=main:app --threads 4',
  ],
  [
    'waitress-serve --listen=*:8080 --url-prefix=/a shop.wsgi:app',
    'start --port 8080 --set scriptName=/a --set app=shop.wsgi:app',
  ],
  [
    'uwsgi --http :8000 --module shop.wsgi --master --processes 4',
    'start --port 8000 --set app=shop.wsgi:application --processes 4',
  ],
  [
    'hypercorn main:app --bind unix:/run/x.sock --loop uvloop',
    'start --set app=main:app --set host=unix:/run/x.sock',
  ],
  // pm2, serve
  ['start app.js -i max --name web', 'start --set app=app.js --processes auto'],
  ['start dist/main.mjs --instances=4 --watch', 'start --set app=dist/main.mjs --processes 4'],
  ['serve -s build -l 3000', 'start --set fallback=index.html build --port 3000'],
  ['start -d', 'start --daemon'],
  ['start --user www-data --group www-data', 'start --set user=www-data --set group=www-data'],
  // settings
  ['start --trusted-proxies 10.0.0.1 site', 'start --set trustedProxies=10.0.0.1 site'],
  ['start --maxBodyBytes=5000000 --port 80', 'start --set maxBodyBytes=5000000 --port 80'],
  ['check --serve-static site --http2=false', 'check --set serveStatic=true site --set http2=false'],
  ['list', 'status'],
  ['kill site', 'stop site'],
  ['delete', 'stop'],
  ['describe --json', 'status --json'],
  ['monit', 'status'],
  ['enable --now', 'install'],
  ['startup', 'install'],
  ['disable', 'uninstall'],
  ['is-active', 'status'],
  ['force-reload', 'reload'],
  ['try-restart', 'restart'],
  ['configtest', 'check'],
  ['tail -f', 'logs -f'],
  ['deploy', 'start'],
] as const) {
  test(`easyserve ${line}: the line to type is easyserve ${meant}`, () => {
    assert.throws(
      () => parseCommandLine(line.split(' '), '1.2.3'),
      (error) => error instanceof EasyserveError && error.hint?.trim() === `easyserve ${meant}`,
    );
  });
}

for (const line of [
  'start --workers',
  'start --workers 4 --no-such-flag',
  'ps --no-such-flag',
  'start -w 4 a b',
]) {
  test(`easyserve ${line}: no line is advised that would not be understood either`, () => {
    assert.throws(
      () => parseCommandLine(line.split(' '), '1.2.3'),
      (error) => error instanceof EasyserveError && /^`easyserve .*--help`$/.test(error.hint ?? ''),
    );
  });
}

test('help of a verb that there is not is that of none', () => {
  for (const argv of [
    ['help', 'strat'],
    ['strat', '--help'],
  ])
    assert.throws(
      () => parseCommandLine(argv, '1.2.3'),
      (error) => error instanceof EasyserveError && error.hint === 'did you mean start?',
    );
});

test('help, and help with a verb, are --help', () => {
  assert.deepEqual(parseCommandLine(['help'], '1.2.3'), parseCommandLine(['--help'], '1.2.3'));
  assert.deepEqual(
    parseCommandLine(['help', 'reload'], '1.2.3'),
    parseCommandLine(['reload', '--help'], '1.2.3'),
  );
});

test('--version prints the version', () => {
  for (const flag of ['--version', '-V', '-v', 'version']) {
    assert.deepEqual(parseCommandLine([flag], '1.2.3'), {
      verb: 'print',
      text: '1.2.3\n',
      to: 'stdout',
      exitCode: 0,
    });
  }
});

test('--help names every verb, and start --help every flag', () => {
  const help = parseCommandLine(['--help'], '1.2.3');
  assert.ok(help.verb === 'print' && help.to === 'stdout' && help.exitCode === 0);
  for (const verb of ['start', 'stop', 'reload', 'restart', 'status', 'scale', 'logs', 'config', 'check']) {
    assert.match(help.text, new RegExp(`^ {2}${verb} `, 'm'));
  }
  const start = parseCommandLine(['start', '--help'], '1.2.3');
  assert.ok(start.verb === 'print');
  for (const flag of [
    'host',
    'port',
    'processes',
    'threads',
    'fronts',
    'config',
    'set',
    'log-format',
    'daemon',
  ]) {
    assert.match(start.text, new RegExp(`^ {2}--${flag}\\b`, 'm'));
  }
  assert.doesNotMatch(start.text, /ready-fd/);
});

test('without a verb the help is printed, and the exit code says that something was missing', () => {
  const command = parseCommandLine([], '1.2.3');
  assert.ok(command.verb === 'print' && command.to === 'stderr' && command.exitCode === ExitCode.usage);
  assert.match(command.text, /^Usage: easyserve/);
});
