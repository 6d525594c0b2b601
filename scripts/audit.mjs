#!/usr/bin/env node
// Fails when a package that users install has a known vulnerability. Part of scripts/check.
//
// A registry may answer no audit (a mirror, no network): then nothing is known, which is said, and fails nothing.

import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];

/** What npm printed as one outcome and one sentence. */
export function readAudit(stdout) {
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return { isClean: undefined, sentence: 'npm audit printed no JSON' };
  }
  const total = report.metadata?.vulnerabilities?.total;
  if (total === undefined) {
    const why = report.error?.summary || report.message || report.error?.code || 'no answer';
    return { isClean: undefined, sentence: `the registry gives no audit (${why})` };
  }
  if (total === 0) return { isClean: true, sentence: 'no known vulnerability in what users install' };
  const names = Object.values(report.vulnerabilities ?? {}).map(
    ({ name, severity }) => `${name} (${severity})`,
  );
  return {
    isClean: false,
    sentence: `known vulnerabilities: ${names.join(', ')}; fix: npm audit fix --omit=dev`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { stdout } = spawnSync('npm', args, { encoding: 'utf8', timeout: 60_000 });
  const { isClean, sentence } = readAudit(stdout ?? '');
  console.log(isClean === undefined ? `left out: ${sentence}` : sentence);
  process.exitCode = isClean === false ? 1 : 0;
}
