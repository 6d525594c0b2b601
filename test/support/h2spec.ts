import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeFileTree } from './file-tree.js';
import { repositoryRoot } from './repository.js';

export interface ConformanceResult {
  readonly tests: number;
  /** Section and title, like "http2/5.1 closed: Sends a DATA frame". */
  readonly failures: readonly string[];
}

/** Runs all of h2spec, also its strict cases, against a TLS port of this machine. Rejects with how to get it where it isn't there. */
export async function runH2spec(t: TestContext, port: number): Promise<ConformanceResult> {
  const { stdout, stderr } = await run(join(repositoryRoot, 'scripts', 'h2spec'), []);
  const program = stdout.trim();
  if (program === '') throw new Error(`there is no h2spec to test HTTP/2 with: ${stderr}`);
  const report = join(await makeFileTree(t, {}), 'report.xml');
  const args = [
    '--tls',
    '--insecure',
    '--strict',
    '--timeout',
    '1',
    '--port',
    String(port),
    '--junit-report',
    report,
  ];
  const said = await run(program, args);
  return readReport(await readFile(report, 'utf8'), said.stdout);
}

/** h2spec ends with 1 when something failed: its report tells. */
function run(program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 120_000 }, (_error, stdout, stderr) => resolve({ stdout, stderr }));
  });
}

function readReport(xml: string, said: string): ConformanceResult {
  const cases = [
    ...xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g),
  ];
  if (cases.length === 0) throw new Error(`h2spec has reported nothing:\n${said}`);
  const failed = cases.filter(([, , , content = '']) => /<(failure|error)\b/.test(content));
  const failures = failed.map(([, section, title]) => `${section} ${decode(String(title))}`);
  return { tests: cases.length, failures };
}

function decode(text: string): string {
  return text
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
