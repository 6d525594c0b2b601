import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, loadError, makeProject } from './project-folder.js';

test('only one thing can be served', (t) => {
  for (const [one, other] of [
    ['command = "serve"', 'folder = "dist"'],
    ['command = "serve"', 'app = "shop:app"'],
    ['folder = "dist"', 'app = "server.js"'],
  ]) {
    const error = loadError(makeProject(t, { 'easyserve.toml': `${one}\n${other}\n` }));
    assert.equal(error.code, 'conflicting-settings');
    assert.match(error.message, /are two different things to serve$/);
    assert.match(error.message, /\(easyserve\.toml\) and .* \(easyserve\.toml\)/);
  }
});

test('a folder, its fallback, and folders by prefix', (t) => {
  const projectDir = makeProject(t, {
    'easyserve.toml': 'folder = "dist"\nfallback = "index.html"\n[static]\n"/assets" = "a"\n"/" = "/srv/b"\n',
  });
  const { settings } = load(projectDir);
  assert.equal(settings.folder, join(projectDir, 'dist'));
  assert.equal(settings.fallback, 'index.html');
  assert.deepEqual(settings.static, { '/assets': join(projectDir, 'a'), '/': '/srv/b' });
});

test('a command is a line for the shell', (t) => {
  const command = 'cd "web site" && serve --port $PORT';
  const { settings } = load(makeProject(t), { env: { EASYSERVE_COMMAND: command } });
  assert.equal(settings.command, command);
  assert.equal(loadError(makeProject(t), { env: { EASYSERVE_COMMAND: ' ' } }).code, 'malformed-setting');
});
