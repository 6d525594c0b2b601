import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ArrivingText } from './arriving-text.js';
import { testPython } from './python-env.js';
import { repositoryRoot } from './repository.js';

/** What systemd does for a service, done by Python, as Node knows no datagrams on Unix sockets. */

const receiver = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1].replace('@', '\\0', 1))
print('listening', flush=True)
while True:
    # Descriptors (BARRIER=1) are closed by leaving them where they are.
    message = receiver.recv(4096).decode()
    print(message.replace('\\n', ' '), flush=True)
`;

const activator = `
import json, os, socket, sys
names, program = sys.argv[1], sys.argv[2:]
sockets = []
for _ in names.split(':'):
    each = socket.socket()
    each.bind(('127.0.0.1', 0))
    each.listen()
    sockets.append(each)
ports = [each.getsockname()[1] for each in sockets]
for index, each in enumerate(sockets):  # out of the way of 3, 4 … first
    os.dup2(each.fileno(), 40 + index, inheritable=False)
for index in range(len(sockets)):
    os.dup2(40 + index, 3 + index)
print(json.dumps({'event': 'activated', 'ports': ports}), flush=True)
os.environ.update(LISTEN_FDS=str(len(ports)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=names)
os.execv(program[0], program)
`;

/** systemd-notify and systemd-analyze, installed where they are missing. */
export function requireSystemdTools(): void {
  execFileSync(join(repositoryRoot, 'scripts', 'systemd-tools'), { stdio: 'inherit' });
}

/** Receives what is sent to NOTIFY_SOCKET: a path, or with a leading @ an abstract name. A line for each message. */
export async function receiveNotifications(t: TestContext, address: string): Promise<ArrivingText> {
  requireSystemdTools();
  const child = spawn(testPython(), ['-c', receiver, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const messages = new ArrivingText(child.stdout);
  await messages.until('listening');
  return messages;
}

/**
 * For `under` of startEasyserve: one listening socket of 127.0.0.1 for each name, passed by systemd's rules. A record
 * `activated` tells the ports.
 */
export function activated(...names: readonly string[]): readonly string[] {
  return [testPython(), '-c', activator, names.join(':')];
}
