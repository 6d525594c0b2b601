import type { Identity, UserInfo } from '../../src/privileges/account.js';

const users: Readonly<Record<string, number>> = { root: 0, shop: 1001, daemon: 1 };
const groups: Readonly<Record<string, number>> = { root: 0, shop: 1001, media: 1002 };

/** The rules of setuid(2) and its relatives for one process, and the steps that were taken. */
export class FakeIdentity {
  /** Real, effective, saved. */
  uids: [number, number, number];
  gids: [number, number, number];
  groups: number[] = [0, 4];
  mask = 0o022;
  readonly steps: string[] = [];
  /** A system that lets everybody become root again. */
  isBroken = false;
  /** A Node.js that can't exclude io_uring, like Debian's own, and so changes no user. */
  isKeptByNode = false;

  constructor(uid = 0) {
    this.uids = [uid, uid, uid];
    this.gids = [uid, uid, uid];
  }

  /** What the code under test takes. */
  get identity(): Identity {
    return {
      getuid: () => this.uids[0],
      geteuid: () => this.uids[1],
      getgid: () => this.gids[0],
      getegid: () => this.gids[1],
      getgroups: () => this.groups,
      setuid: (id) => this.#set('setuid', this.uids, toNumber(id, users)),
      seteuid: (id) => this.#set('seteuid', this.uids, toNumber(id, users)),
      setgid: (id) => this.#set('setgid', this.gids, toNumber(id, groups)),
      setegid: (id) => this.#set('setegid', this.gids, toNumber(id, groups)),
      setgroups: (list) => this.#setGroups('setgroups', list.map(Number)),
      initgroups: (_user, gid) => this.#setGroups('initgroups', [Number(gid), 1002]),
      umask: (mask?: string | number) => {
        const before = this.mask;
        this.mask = Number(mask);
        return before;
      },
    };
  }

  /** Only `shop` has an entry among the users that are not root's. */
  readonly userInfo: UserInfo = () => {
    const uid = this.uids[1];
    const username = Object.keys(users).find((name) => users[name] === uid);
    if (username === undefined) throw new Error('ENOENT');
    return { username, homedir: `/home/${username}`, gid: uid };
  };

  #set(call: string, ids: [number, number, number], id: number): void {
    this.steps.push(`${call} ${id}`);
    this.#requireChange();
    const isRoot = this.uids[1] === 0 || this.isBroken;
    if (!isRoot && !ids.includes(id)) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    const setsAll = isRoot && !call.startsWith('sete');
    if (setsAll) ids.fill(id);
    else ids[1] = id;
  }

  #setGroups(call: string, list: number[]): void {
    this.steps.push(`${call} ${list.join(',')}`);
    this.#requireChange();
    if (this.uids[1] !== 0) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    this.groups = list;
  }

  #requireChange(): void {
    if (this.isKeptByNode) throw Object.assign(new Error('disabled'), { code: 'ERR_INVALID_STATE' });
  }
}

function toNumber(id: string | number, known: Readonly<Record<string, number>>): number {
  const number = typeof id === 'number' ? id : known[id];
  if (number !== undefined) return number;
  throw Object.assign(new Error(`unknown: ${id}`), { code: 'ERR_UNKNOWN_CREDENTIAL' });
}
