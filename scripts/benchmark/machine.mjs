import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** What the figures were measured on and with, for the report: {hardware, system, versions: {name: version}}. */
export function describeMachine(tools) {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return {
    hardware: `${availableParallelism()} cores of ${cpus()[0]?.model.trim() || 'an unnamed processor'}, ${gigabytes} GiB`,
    system: `${systemName()}, Linux ${firstMatch(readFileSync('/proc/version', 'utf8'), /version (\d[\d.]*)/)}`,
    versions: {
      Node: process.versions.node,
      ...pythonVersions(tools.python),
      ...commandVersions(tools),
    },
  };
}

// Private

function systemName() {
  return (
    firstMatch(readFileSync('/etc/os-release', 'utf8'), /^PRETTY_NAME="?([^"\n]*)/m) ?? 'an unnamed system'
  );
}

function pythonVersions(python) {
  const program = `
import importlib.metadata, json, platform
found = {'Python': platform.python_version()}
for name in 'Django gunicorn uWSGI granian waitress whitenoise cheroot uvicorn hypercorn'.split():
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
`;
  return JSON.parse(spawnSync(python, ['-c', program]).stdout.toString());
}

function commandVersions(tools) {
  const asks = {
    nginx: ['nginx', ['-v'], /nginx\/(\S+)/],
    Caddy: ['caddy', ['version'], /^v?(\d\S*)/],
    wrk: ['wrk', ['-v'], /wrk (?:debian\/)?(\d[^\s[]*)/],
    h2load: ['h2load', ['--version'], /nghttp2\/(\S+)/],
    ab: ['ab', ['-V'], /Version (\S+)/],
  };
  const found = {};
  for (const [name, [command, args, pattern]] of Object.entries(asks)) {
    if (tools.missing([command]).length > 0) continue;
    const { stdout, stderr } = spawnSync(command, args);
    found[name] = firstMatch(`${stdout}${stderr}`, pattern) ?? 'of unknown version';
  }
  return found;
}

function firstMatch(text, pattern) {
  return text.match(pattern)?.[1];
}
