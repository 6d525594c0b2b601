import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadError, makeProject } from './project-folder.js';

interface Fault {
  readonly file: string;
  readonly text: string;
  readonly code: string;
  readonly message: RegExp;
}

const faults: readonly Fault[] = [
  // The line of an unknown or malformed setting
  {
    file: 'easyserve.toml',
    text: '# a\n\nprot = 80\n',
    code: 'unknown-setting',
    message: /^easyserve\.toml line 3: unknown setting "prot"$/,
  },
  {
    file: 'easyserve.yaml',
    text: '# a\n\nprot: 80\n',
    code: 'unknown-setting',
    message: /^easyserve\.yaml line 3: unknown setting "prot"$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n "watch": true,\n "prot": 80\n}',
    code: 'unknown-setting',
    message: /^easyserve\.json line 3: unknown setting "prot"$/,
  },
  {
    file: 'easyserve.toml',
    text: 'trustedProxies = [\n "::1",\n]\nhost = """\nport = 1\n"""\n',
    code: 'malformed-setting',
    message: /^easyserve\.toml line 4: host must be an IP/,
  },
  {
    file: 'easyserve.toml',
    text: 'watch = true\r\nport = "8080abc"\r\n',
    code: 'malformed-setting',
    message: /^easyserve\.toml line 2: port must be a whole number from 0 to 65535, not "8080abc"$/,
  },
  {
    file: 'easyserve.toml',
    text: 'watch = true\n"port" = "80"\n',
    code: 'malformed-setting',
    message: /^easyserve\.toml line 2: port must/,
  },
  {
    file: 'easyserve.toml',
    text: 'watch = true\n[cheroot]\nport = 3\n[prot]\nx = 1\n',
    code: 'unknown-setting',
    message: /^easyserve\.toml line 4: unknown setting "prot"$/,
  },
  {
    file: 'easyserve.toml',
    text: 'watch = true\nport.number = 3\n',
    code: 'malformed-setting',
    message: /line 2: port must be .*, not \{"number":3\}$/,
  },
  { file: 'easyserve.toml', text: 'port = nan\n', code: 'malformed-setting', message: /, not NaN$/ },
  {
    file: 'easyserve.yaml',
    text: 'watch: true\ntrustedProxies:\n - ::1\nport: 8080abc\n',
    code: 'malformed-setting',
    message: /^easyserve\.yaml line 4: port must be .*, not "8080abc"$/,
  },
  {
    file: 'easyserve.yaml',
    text: 'compress: no\n',
    code: 'malformed-setting',
    message: /^easyserve\.yaml line 1: compress must be true or false, not "no"$/,
  },
  {
    file: 'easyserve.json',
    text: '{"watch": true,\n\n"port": "80"}',
    code: 'malformed-setting',
    message: /^easyserve\.json line 3: port must be .*, not "80"$/,
  },
  {
    file: 'easyserve.json',
    text: `{"host": "${'x'.repeat(300)}"}`,
    code: 'malformed-setting',
    message: /, not "x{79}…$/,
  },
  // The same key twice
  {
    file: 'easyserve.toml',
    text: 'drainTimeoutMs = 1\ndrain-timeout-ms = 2\n',
    code: 'duplicate-setting',
    message: /^easyserve\.toml line 2: drain-timeout-ms sets drainTimeoutMs a second time$/,
  },
  {
    file: 'easyserve.yaml',
    text: 'drain_timeout_ms: 1\ndrainTimeoutMs: 2\n',
    code: 'duplicate-setting',
    message: /^easyserve\.yaml line 2: drainTimeoutMs sets drainTimeoutMs a second time$/,
  },
  {
    file: 'easyserve.json',
    text: '{"port": 1,\n"port": 2}',
    code: 'settings-syntax',
    message: /^easyserve\.json line 2: the name "port" comes twice$/,
  },
  {
    file: 'easyserve.toml',
    text: 'port = 1\nport = 2\n',
    code: 'settings-syntax',
    message: /^easyserve\.toml line 2: /,
  },
  {
    file: 'easyserve.yaml',
    text: 'port: 1\nport: 2\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line 2: the name port comes twice$/,
  },
  // Syntax
  {
    file: 'easyserve.toml',
    text: 'port = 1\n\nhost = \n',
    code: 'settings-syntax',
    message: /^easyserve\.toml line 3: [^\n]+$/,
  },
  {
    file: 'easyserve.toml',
    text: 'port: 1\n',
    code: 'settings-syntax',
    message: /^easyserve\.toml line 1: /,
  },
  {
    file: 'easyserve.yaml',
    text: 'port: 1\nhost: "::1\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line [23]: /,
  },
  {
    file: 'easyserve.yaml',
    text: 'port: 1\n\tx: 2\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line [12]: /,
  },
  {
    file: 'easyserve.yaml',
    text: '- port\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line 1: settings are written as/,
  },
  {
    file: 'easyserve.yaml',
    text: 'port: 1\n? [a]\n: 2\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line 2: a name must be plain text$/,
  },
  {
    file: 'easyserve.yaml',
    text: 'port: 1\n---\nport: 2\n',
    code: 'settings-syntax',
    message: /^easyserve\.yaml line \d: /,
  },
  {
    file: 'easyserve.json',
    text: '{\n"port": 1,\n}',
    code: 'settings-syntax',
    message: /^easyserve\.json line 3: expected double-quoted property name$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n"port": }',
    code: 'settings-syntax',
    message: /^easyserve\.json line 2: unexpected \}$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n"port": 1',
    code: 'settings-syntax',
    message: /^easyserve\.json line 2: the file ends too early$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n"port": 1 "host": 2}',
    code: 'settings-syntax',
    message: /line 2: expected ',' or '\}' after property value$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n"port": 0x50}',
    code: 'settings-syntax',
    message: /line 2: expected ',' or '\}' after property value$/,
  },
  {
    file: 'easyserve.json',
    text: '{port: 1}',
    code: 'settings-syntax',
    message: /line 1: expected property name or '\}'$/,
  },
  {
    file: 'easyserve.json',
    text: '{"port": 1} x',
    code: 'settings-syntax',
    message: /line 1: unexpected non-whitespace character$/,
  },
  {
    file: 'easyserve.json',
    text: '{\n\n"host: 1}',
    code: 'settings-syntax',
    message: /line 3: a text is not closed$/,
  },
  {
    file: 'easyserve.json',
    text: '{"host": "a\\x"}',
    code: 'settings-syntax',
    message: /line 1: bad escaped character$/,
  },
  { file: 'easyserve.json', text: '{"a":\u00a01}', code: 'settings-syntax', message: /line 1: unexpected/ },
  {
    file: 'easyserve.json',
    text: '{"trustedProxies": [1,]}',
    code: 'settings-syntax',
    message: /line 1: unexpected \]$/,
  },
  {
    file: 'easyserve.json',
    text: '{"cheroot": {"a": 1,\n"a": 2}}',
    code: 'settings-syntax',
    message: /line 2: the name "a" comes twice$/,
  },
  { file: 'easyserve.json', text: '', code: 'settings-syntax', message: /line 1: the file ends too early$/ },
  {
    file: 'easyserve.json',
    text: '[]',
    code: 'settings-syntax',
    message: /line 1: settings are written as \{"name": value\}$/,
  },
  // What only YAML takes
  { file: 'easyserve.json', text: 'port: 1\n', code: 'settings-syntax', message: /line 1: unexpected p$/ },
  { file: 'easyserve.json', text: "{'port': 1}", code: 'settings-syntax', message: /line 1: expected/ },
  {
    file: 'easyserve.json',
    text: '{\n"port": 1 # HTTP\n}',
    code: 'settings-syntax',
    message: /line 2: expected/,
  },
  {
    file: 'easyserve.json',
    text: '{\n"host": tru\n}',
    code: 'settings-syntax',
    message: /line 2: unexpected end of the line$/,
  },
  {
    file: 'easyserve.json',
    text: 'null',
    code: 'settings-syntax',
    message: /line 1: settings are written as/,
  },
];

for (const { file, text, code, message } of faults) {
  test(`${file} ${JSON.stringify(text.slice(0, 40))}: ${code}`, (t) => {
    const error = loadError(makeProject(t, { [file]: text }));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

for (const [file, text, hint] of [
  ['easyserve.toml', 'port: 8000', 'write it as `port = 8000`, or call the file easyserve.yaml'],
  [
    'easyserve.toml',
    'watch = true\nhost: localhost',
    'write it as `host = "localhost"`, or call the file easyserve.yaml',
  ],
  ['easyserve.toml', 'app = main:app', 'write it as `app = "main:app"`'],
  ['easyserve.toml', 'folder = my site # of mine', 'write it as `folder = "my site"`'],
  ['easyserve.toml', 'watch = False', 'write it as `watch = false`'],
  [
    'easyserve.toml',
    'domains = example.org, www.example.org',
    'write it as `domains = ["example.org", "www.example.org"]`',
  ],
  ['easyserve.toml', 'domains = [example.org]', 'write it as `domains = ["example.org"]`'],
  ['easyserve.toml', 'port 8000', 'write it as `port = 8000`'],
  // What is advised is a value of the setting.
  ['easyserve.toml', 'port = 8000;', 'write it as `port = 8000`'],
  ['easyserve.toml', 'port = 8000 // the web', 'write it as `port = 8000`'],
  ['easyserve.toml', 'port = 8000,', 'write it as `port = 8000`'],
  ['easyserve.toml', 'port = 08000', 'write it as `port = 8000`'],
  ['easyserve.toml', 'accessLog = on', 'write it as `accessLog = true`'],
  ['easyserve.toml', 'host = \u201c0.0.0.0\u201d', 'write it as `host = "0.0.0.0"`'],
  ['easyserve.toml', 'domains = example.org', 'write it as `domains = ["example.org"]`'],
  [
    'easyserve.toml',
    'trustedProxies = [10.0.0.1, ::1]',
    'write it as `trustedProxies = ["10.0.0.1", "::1"]`',
  ],
  ['easyserve.toml', "command = 'npm start", 'write it as `command = "npm start"`'],
  ['easyserve.toml', 'command = "a "b" c"', 'write it as `command = "a \\"b\\" c"`'],
  ['easyserve.toml', 'threads = four', 'threads must be "auto" or a whole number from 1 to 1024'],
  ['easyserve.yaml', 'port = 8000', 'write it as `port: 8000`, or call the file easyserve.toml'],
  ['easyserve.json', '{\n  port: 8000\n}', 'write it as `"port": 8000`'],
  ['easyserve.json', 'app = "main:app"', 'write it as `"app": "main:app"`, or call the file easyserve.toml'],
  ['easyserve.toml', 'prot: 8000', undefined],
  ['easyserve.toml', 'host = ', undefined],
] as const) {
  test(`${file} with ${JSON.stringify(text)}: ${hint ?? 'no advice'}`, (t) => {
    const error = loadError(makeProject(t, { [file]: `${text}\n` }));
    assert.deepEqual([error.code, error.hint], ['settings-syntax', hint]);
  });
}

for (const [file, text] of [
  ['easyserve.toml', '[easyserve]\nport = 8000\n'],
  ['easyserve.toml', '[tool.easyserve]\nport = 8000\n'],
  ['easyserve.yaml', 'easyserve:\n  port: 8000\n'],
] as const) {
  test(`settings in a table of their own, ${JSON.stringify(text)}: they stand without it`, (t) => {
    const error = loadError(makeProject(t, { [file]: text }), {});
    assert.equal(error.code, 'unknown-setting');
    assert.match(
      error.hint ?? '',
      /^settings stand by themselves, without a table: leave the line of \w+ out$/,
    );
  });
}
