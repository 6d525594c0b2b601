import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';

/**
 * Makes a socket reachable at the path that the application wanted to listen on: it may set the mode there, which it then has of the socket.
 * What cannot be made is left, and the application sees by itself that nothing is there.
 */
export function linkSocket(path: string, socketPath: string): void {
  try {
    // Of a process of ours before, or beside. Anything else that is there stays.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(path);
    symlinkSync(socketPath, path);
    process.once('exit', () => removeLink(path, socketPath));
  } catch {
    // No permission, no such folder, or something else of that name.
  }
}

// Private

function removeLink(path: string, socketPath: string): void {
  try {
    if (readlinkSync(path) === socketPath) unlinkSync(path);
  } catch {
    // It is gone, or a successor's file.
  }
}
