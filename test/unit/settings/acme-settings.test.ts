import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/cli/program.js';
import { findConflicts } from '../../../src/settings/cross-checks.js';
import { acmeSettings } from '../../../src/settings/themes/acme-settings.js';
import { defaultSettings } from '../../support/default-settings.js';

const { domains, acmeDirectory, acmeEmail } = acmeSettings;

test('domains are host names', () => {
  for (const name of ['example.com', 'WWW.Example.com', 'xn--bcher-kva.example', 'localhost', 'a.b.c.d.e']) {
    assert.ok(domains.format.accepts([name]), name);
  }
  const refused = ['', '*.example.com', 'example.com:443', 'https://example.com', '192.0.2.1', '::1', 'a..b'];
  for (const name of [
    ...refused,
    '-a.example',
    'bücher.example',
    'example.com.',
    'a b',
    'a/../b',
    `${'a'.repeat(64)}.de`,
  ]) {
    assert.ok(!domains.format.accepts([name]), name);
  }
  assert.ok(!domains.format.accepts('example.com'), 'a list, also for one');
  assert.match(domains.format.allowed, /no wildcards, because they need DNS-01/);
});

test('--domain may be repeated', () => {
  const command = parseCommandLine(['start', '--domain', 'example.com', '--domain', 'www.example.com'], '1');
  assert.ok(command.verb === 'start');
  const last = command.flags.at(-1);
  assert.equal(last?.key, 'domains');
  assert.deepEqual(domains.format.read(last?.value ?? ''), ['example.com', 'www.example.com']);
});

test('a directory is asked over HTTPS only', () => {
  assert.ok(acmeDirectory.format.accepts('https://127.0.0.1:14000/dir'));
  for (const url of [
    'http://ca.example/dir',
    'ca.example',
    'https://',
    'https://a b/',
    'file:///etc/passwd',
  ]) {
    assert.ok(!acmeDirectory.format.accepts(url), url);
  }
});

test('an address is one address', () => {
  assert.ok(acmeEmail.format.accepts('some.body+acme@example.com'));
  for (const address of ['somebody', 'a@b,c@d', 'a@b?cc=c@d', 'mailto:a@b c', 'a@b\nc']) {
    assert.ok(!acmeEmail.format.accepts(address), address);
  }
});

test('an account binding needs both of its settings', () => {
  const settings = defaultSettings({ acmeEabKeyId: 'kid-1' });
  const problems = findConflicts(settings, {} as Parameters<typeof findConflicts>[1]);
  assert.match(problems[0]?.message ?? '', /acmeEabHmacKeyFile/);
});
