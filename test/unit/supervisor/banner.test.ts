import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../../src/contracts/status.js';
import { type BannerFacts, renderBanner, wrapText } from '../../../src/supervisor/banner.js';
import { djangoProject, project } from '../../support/make-release.js';

const status = {
  version: '1.2.3',
  pid: 42,
  mode: 'single',
  reason: 'processes = 1: its threads share memory',
  urls: ['http://localhost:8000/'],
  certificates: [],
  project: { kind: 'wsgi', root: '/srv/site', application: 'site.wsgi:application' },
} as unknown as InstanceStatus;

const facts: BannerFacts = {
  status,
  project: {
    ...project,
    python: { version: '3.12.1', source: '.venv', path: '/srv/site/.venv/bin/python', isGilEnabled: true },
  },
  threads: 10,
  processes: 1,
  settingsFile: undefined,
  advice: undefined,
  typed: { reload: 'easyserve reload', stop: 'easyserve stop' },
  stdout: { colour: false },
};

function withHosts(...allowedHosts: string[]): string {
  const django = djangoProject({ version: '5.2', isDebug: false, allowedHosts });
  return renderBanner({ ...facts, project: django });
}

test('the banner tells what was found, the mode and why, and what to type', () => {
  assert.equal(
    renderBanner(facts),
    `
  easyserve 1.2.3 serves http://localhost:8000/

  found     WSGI, site.wsgi:application in /srv/site
  python    3.12.1 from .venv
  mode      single process with 10 threads (processes = 1: its threads share memory)
  reload    easyserve reload, or kill -HUP 42
  stop      Ctrl-C, or easyserve stop

`,
  );
});

test('a server that somebody chose is named; threads only where it has them', () => {
  const banner = renderBanner({ ...facts, project: { ...project, kind: 'asgi', server: 'uvicorn' } });
  assert.match(banner, /^ {2}server {4}uvicorn$/m);
  assert.match(banner, /^ {2}mode {6}single process \(processes = 1/m);
});

test('a cluster, a settings file and advice have their places', () => {
  const cluster = { ...status, mode: 'cluster', reason: 'processes = 4' } as const;
  const banner = renderBanner({
    ...{ ...facts, status: cluster, threads: 4, processes: 4 },
    ...{ settingsFile: '/srv/site/easyserve.toml', advice: 'more is possible' },
  });
  assert.match(banner, /^ {2}settings {2}\/srv\/site\/easyserve\.toml$/m);
  assert.match(banner, /^ {2}mode {6}cluster of 4 processes with 4 threads each \(processes = 4\)$/m);
  assert.match(banner, /^ {12}more is possible$/m);
});

test('on a terminal every line fits', () => {
  const banner = renderBanner({ ...facts, stdout: { colour: false, columns: () => 60 } });
  assert.match(
    banner,
    /^ {2}mode {6}single process with 10 threads \(processes = 1:\n {12}its threads share memory\)$/m,
  );
  assert.ok(banner.split('\n').every((line) => line.length <= 60));
});

const url = 'http://localhost:8000/';
const refusing: readonly (readonly [string[], boolean])[] = [
  [[], false],
  [['*'], false],
  [['LOCALHOST'], false],
  [['.localhost'], false],
  [['www.example.org', 'localhost'], false],
  [['www.example.org'], true],
  [['.example.org', 'my.localhost'], true],
];

for (const [allowedHosts, isSaid] of refusing) {
  test(`ALLOWED_HOSTS = ${JSON.stringify(allowedHosts)} beside ${url}: ${isSaid ? 'said' : 'not said'}`, () => {
    const line = /^ {2}names {5}(.*)$/m.exec(withHosts(...allowedHosts))?.[1];
    assert.equal(line?.startsWith(`${allowedHosts.join(', ')} (ALLOWED_HOSTS; `) ?? false, isSaid);
  });
}

test('a folder of files, and a command, are told as what they are', () => {
  const about = (kind: 'folder' | 'command', application: string) => {
    const place = { root: '/srv/site', application, warnings: [] };
    return renderBanner({
      ...facts,
      status: { ...status, project: { ...status.project, kind, application }, reason: 'the reason' },
      project: kind === 'folder' ? { ...place, kind, server: 'none' } : { ...place, kind, server: 'command' },
      threads: 1,
    });
  };
  const folder = about('folder', '/srv/site/dist');
  assert.match(folder, /^ {2}found {5}a folder of files, \/srv\/site\/dist$/m);
  assert.match(folder, /^ {2}mode {6}single process \(the reason\)$/m);
  const command = about('command', 'serve --port $PORT');
  assert.match(command, /^ {2}found {5}a command, serve --port \$PORT in \/srv\/site$/m);
});

test('with certificates the names that visitors type are shown, and no wildcard', () => {
  const certificates = [{ names: ['example.com', '*.example.com', '::1'] }, { names: ['example.com'] }];
  const shown = (...urls: string[]) =>
    renderBanner({ ...facts, status: { ...status, urls, certificates } as unknown as InstanceStatus });
  assert.match(shown('https://localhost/', 'http://localhost/'), /serves https:\/\/example\.com\/\n/);
  assert.match(
    shown('https://localhost:8443/', 'http://localhost/'),
    /serves https:\/\/example\.com:8443\/\n/,
  );
  assert.match(shown('http://localhost:8000/'), /serves http:\/\/localhost:8000\/\n/);
});

const wraps: readonly (readonly [string, number, number | undefined, string])[] = [
  ['mode  one two three', 6, 80, 'mode  one two three'],
  ['mode  one two three', 6, 19, 'mode  one two three'],
  ['mode  one two three', 6, 18, 'mode  one two\n      three'],
  ['mode  one two three', 6, 13, 'mode  one two\n      three'],
  ['mode  one two three', 6, 10, 'mode  one\n      two\n      three'],
  ['path  /a/very/long/path stays whole', 6, 12, 'path  /a/very/long/path\n      stays\n      whole'],
  ['path  /a/very/long/path', 6, 12, 'path  /a/very/long/path'],
  ['mode  one two three', 6, undefined, 'mode  one two three'],
];

for (const [line, indent, columns, wrapped] of wraps) {
  test(`${JSON.stringify(line)} in ${columns} columns`, () => {
    assert.equal(wrapText(line, indent, columns), wrapped);
  });
}
