import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, loadError, makeProject } from './project-folder.js';

const inAll: Readonly<Record<string, string>> = {
  'easyserve.toml': `[tls]
cert = "site.pem"
key = "/etc/site.key"
passphrase-file = "phrase"

[[tls.certificates]]
cert = "other, with a comma.pem"
`,
  'easyserve.yaml': `tls:
  cert: site.pem
  key: /etc/site.key
  passphraseFile: phrase
  certificates:
    - cert: other, with a comma.pem
`,
  'easyserve.json':
    '{"tlsCert": "site.pem", "tlsKey": "/etc/site.key", "tlsPassphraseFile": "phrase", "tlsCertificates": [{"cert": "other, with a comma.pem"}]}',
};

for (const [name, text] of Object.entries(inAll)) {
  test(`certificates in ${name}, relative to the project`, (t) => {
    const projectDir = makeProject(t, { [name]: text });
    const { settings, origins } = load(projectDir);
    assert.equal(settings.tlsCert, join(projectDir, 'site.pem'));
    assert.equal(settings.tlsKey, '/etc/site.key');
    assert.equal(settings.tlsPassphraseFile, join(projectDir, 'phrase'));
    assert.deepEqual(settings.tlsCertificates, [{ cert: join(projectDir, 'other, with a comma.pem') }]);
    assert.ok(Object.isFrozen(settings.tlsCertificates[0]));
    assert.equal(origins.tlsCert, name);
  });
}

test('certificates in the environment, in flags and in Django', (t) => {
  const projectDir = makeProject(t);
  const list = '[{"cert": "/a,b.pem", "key": "k", "passphraseFile": "p"}]';
  const { settings } = load(projectDir, {
    env: { EASYSERVE_TLS_CERT: 'env.pem', EASYSERVE_TLS_CERTIFICATES: list },
    flags: [{ key: 'tls.key', value: 'flag.key', flag: '--set tls.key' }],
    django: {
      easyserver: { TLS_PASSPHRASE_FILE: 'phrase', HSTS: 'ramp' },
      cheroot: undefined,
      settingsModule: 'site.settings',
    },
  });
  assert.equal(settings.tlsCert, join(projectDir, 'env.pem'));
  assert.equal(settings.tlsKey, join(projectDir, 'flag.key'));
  assert.equal(settings.tlsPassphraseFile, join(projectDir, 'phrase'));
  assert.equal(settings.hsts, 'ramp');
  assert.deepEqual(settings.tlsCertificates, [
    { cert: '/a,b.pem', key: join(projectDir, 'k'), passphraseFile: join(projectDir, 'p') },
  ]);
  assert.deepEqual(
    load(projectDir, { env: { EASYSERVE_TLS_CERTIFICATES: '' } }).settings.tlsCertificates,
    [],
  );
});

test('what is no list of certificates is refused', (t) => {
  for (const value of [
    '"a.pem"',
    '{cert: a}',
    '[a.pem]',
    '[{key: a}]',
    '[{cert: 1}]',
    '[{cert: a, ca: b}]',
  ]) {
    const error = loadError(makeProject(t, { 'easyserve.yaml': `tlsCertificates: ${value}\n` }));
    assert.equal(error.code, 'malformed-setting', value);
  }
  const error = loadError(makeProject(t), { env: { EASYSERVE_TLS_CERTIFICATES: '[{"cert": ' } });
  assert.equal(error.code, 'malformed-setting');
});

test('a key or passphrase without a certificate contradicts itself', (t) => {
  for (const name of ['tlsKey', 'tlsPassphraseFile']) {
    const error = loadError(makeProject(t, { 'easyserve.toml': `${name} = "x"\n` }));
    assert.equal(error.code, 'conflicting-settings');
    assert.match(error.message, new RegExp(`^${name} = .* tlsCert is not set`));
  }
});

test('HTTP and HTTPS need a port each', (t) => {
  const conflicts = (text: string) => loadError(makeProject(t, { 'easyserve.toml': text }));
  for (const text of [
    'port = 443\ndomains = ["example.com"]\n',
    'port = 8443\nhttpsPort = 8443\nhttps = true\n',
  ]) {
    const { code, message, hint } = conflicts(text);
    assert.equal(code, 'conflicting-settings');
    assert.match(message, /^port = 8?443 .* is the port of HTTPS/);
    assert.match(hint ?? '', /^leave port away/);
  }
  for (const text of [
    'port = 443\n',
    'port = 0\nhttpsPort = 0\nhttps = true\n',
    'port = 80\nhttps = true\n',
  ]) {
    assert.ok(load(makeProject(t, { 'easyserve.toml': text })).settings.port !== null);
  }
});

test('a table stands for the settings that begin with its name, and for no others', (t) => {
  const { settings } = load(
    makeProject(t, { 'easyserve.toml': '[recycle]\nrequests = 5\nmemory-bytes = 7\n' }),
  );
  assert.deepEqual([settings.recycleRequests, settings.recycleMemoryBytes], [5, 7]);
  const unknown = loadError(makeProject(t, { 'easyserve.toml': 'port = 1\n[tls]\ncret = "x"\n' }));
  assert.equal(unknown.code, 'unknown-setting');
  assert.match(unknown.message, /easyserve.toml line 2: unknown setting "tls.cret"/);
  assert.equal(unknown.hint, 'did you mean "tlsCert"?');
  const table = loadError(makeProject(t, { 'easyserve.toml': '[mail]\nhost = "x"\n' }));
  assert.match(table.message, /unknown setting "mail"/);
  const twice = loadError(makeProject(t, { 'easyserve.toml': 'tlsCert = "x"\n[tls]\ncert = "y"\n' }));
  assert.equal(twice.code, 'duplicate-setting');
});
