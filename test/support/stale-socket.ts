import { spawnSync } from 'node:child_process';

/** Leaves the file of a Unix socket whose process was killed. */
export function leaveStaleSocket(path: string): void {
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program], { timeout: 60_000 });
}
