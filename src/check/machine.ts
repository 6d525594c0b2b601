import os from 'node:os';

/** The machine that a check looks at; tests make one up. */
export interface Machine {
  /** Milliseconds since 1970, by its clock. */
  readonly nowMs: number;
  /** `v22.4.1` */
  readonly nodeVersion: string;
  /** As whom this process acts: the user of the site. */
  readonly user: string;
  /** In front of a command that root types: `sudo `, or nothing. */
  readonly asRoot: string;
}

export function thisMachine(): Machine {
  return { nowMs: Date.now(), nodeVersion: process.version, ...readUser() };
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
