import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Machine } from './machine.js';
import { repositoryRoot } from './repository.js';

const visitors = join(repositoryRoot, 'build', 'test', 'support', 'machine-visitors.js');

export interface Visits {
  readonly answered: number;
  readonly failures: readonly string[];
}

/** Visitors in the machine's network, who ask from before the action begins until after it has ended. */
export async function visitDuring(
  machine: Machine,
  url: string,
  act: () => unknown,
  kind: 'kept' | 'fresh' = 'kept',
): Promise<Visits> {
  const [command = '', ...args] = machine.inNetwork([process.execPath, visitors, url, kind]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = text(child.stdout);
  const ended = once(child, 'exit');
  try {
    await once(child.stderr, 'data'); // the first answer
    await act();
  } finally {
    child.stdin.end();
  }
  await ended;
  return JSON.parse(await said) as Visits;
}
