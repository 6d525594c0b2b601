import { execFile } from 'node:child_process';
import { readdir, stat, statfs } from 'node:fs/promises';
import os from 'node:os';

/** Of a file or a folder. */
export interface FileFacts {
  /** With the bits of its kind (inode(7)). */
  readonly mode: number;
  readonly uid: number;
  readonly mtimeMs: number;
}

export interface DiskSpace {
  /** What a user other than root may still take. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Files that can still be made; undefined: no limit is known. */
  readonly freeFiles: number | undefined;
}

/** The machine that a check looks at; tests make one up. What it can't tell is undefined. */
export interface Machine {
  /** Milliseconds since 1970, by its clock. */
  readonly nowMs: number;
  /** `v22.4.1` */
  readonly nodeVersion: string;
  /** As whom this process acts: the user of the site. */
  readonly user: string;
  /** In front of a command that root types: `sudo `, or nothing. */
  readonly asRoot: string;
  /** Number of that user. */
  readonly uid: number | undefined;
  /** Links are followed. */
  readFile(path: string): Promise<FileFacts | undefined>;
  listFolder(path: string): Promise<readonly string[]>;
  readDisk(path: string): Promise<DiskSpace | undefined>;
  /** Whether a time server keeps the clock right. */
  isClockKept(): Promise<boolean | undefined>;
}

export function thisMachine(): Machine {
  return {
    nowMs: Date.now(),
    nodeVersion: process.version,
    ...readUser(),
    uid: process.geteuid?.(),
    readFile: (path) => stat(path).catch(() => undefined),
    listFolder: (path) => readdir(path).catch(() => []),
    readDisk,
    isClockKept,
  };
}

// Private

function readUser(): Pick<Machine, 'user' | 'asRoot'> {
  const asRoot = process.getuid?.() === 0 ? '' : 'sudo ';
  try {
    return { user: os.userInfo().username, asRoot };
  } catch {
    return { user: String(process.geteuid?.() ?? ''), asRoot }; // a number without an entry
  }
}

async function readDisk(path: string): Promise<DiskSpace | undefined> {
  try {
    const { bavail, blocks, bsize, files, ffree } = await statfs(path);
    // Some file systems (btrfs) make inodes as they need them, and say 0.
    return {
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      freeFiles: files === 0 ? undefined : ffree,
    };
  } catch {
    return undefined;
  }
}

const askTimeoutMs = 3000;

/** In a container, and without systemd, nobody answers. */
function isClockKept(): Promise<boolean | undefined> {
  const args = ['show', '--property=NTPSynchronized', '--value'];
  return new Promise((resolve) => {
    execFile('timedatectl', args, { timeout: askTimeoutMs }, (error, stdout) => {
      const word = stdout.trim();
      resolve(error !== null || (word !== 'yes' && word !== 'no') ? undefined : word === 'yes');
    });
  });
}
