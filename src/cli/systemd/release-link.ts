import { lstatSync, realpathSync } from 'node:fs';
import { dirname, join, parse, relative, sep } from 'node:path';

/**
 * A link like `current`, which each deployment turns to its own release. A unit is written once, and outlives the release that it
 * was written for.
 */
export class ReleaseLink {
  /** As the person named it: /srv/shop/current. */
  readonly path: string;
  /** Where it leads now: /srv/shop/releases/1. */
  readonly release: string;

  constructor(path: string, release: string) {
    this.path = path;
    this.release = release;
  }

  /** A file of the release, by the way that leads to that of the next one. Others stay. */
  lastingPath(path: string): string {
    return this.#holds(path) ? join(this.path, relative(this.release, path)) : path;
  }

  /** The same for the path behind `--option=`. */
  lastingArgument(argument: string): string {
    const [, option = '', value = ''] = /^(--.*=)(\/.*)$/.exec(argument) ?? [];
    return option === '' ? argument : `${option}${this.lastingPath(value)}`;
  }

  /**
   * A folder of the release, as one that a service may write to. systemd follows links when the service starts and not again, so
   * a reload that comes to the next release needs the folder of all of them.
   */
  lastingFolder(path: string): string {
    return this.#holds(path) ? dirname(this.release) : path;
  }

  #holds(path: string): boolean {
    return path === this.release || path.startsWith(`${this.release}${sep}`);
  }
}

/** The last link on the way to the project. Undefined: there is none, or it is one of the system's, like /home to another disk. */
export function findReleaseLink(projectDir: string): ReleaseLink | undefined {
  for (let path = projectDir; !isOfSystem(path); path = dirname(path)) {
    if (!lstatSync(path).isSymbolicLink()) continue;
    const release = realpathSync(path);
    return isOfSystem(release) ? undefined : new ReleaseLink(path, release);
  }
  return undefined;
}

// Private

/** The root folder, and what stands in it. */
function isOfSystem(path: string): boolean {
  return dirname(path) === parse(path).root;
}
