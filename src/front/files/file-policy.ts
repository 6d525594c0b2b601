import { basename, extname } from 'node:path';
import type { WhiteNoiseFacts } from '../../contracts/project-facts.js';
import type { HeaderList } from '../exchange.js';
import { contentTypeOf } from './content-type.js';

/** What the answers for a file say beside what is known of every file. */
export interface FilePolicy {
  /** Undefined: nothing is said. */
  readonly cacheControl: string | undefined;
  /** Undefined: by the ending of the name. */
  readonly contentType?: string;
  /** Of a 304 too. */
  readonly headers: HeaderList;
}

/**
 * As WhiteNoise does: fonts and modules load from another origin, a CDN in front keeps the header, and nothing here depends on
 * who asks.
 */
const allOrigins = ['Access-Control-Allow-Origin', '*'];
const forever = 'max-age=31536000, public, immutable';

/** Of static files whose content may change. */
export const revalidated: FilePolicy = { cacheControl: 'no-cache', headers: allOrigins };

/** Headers that answers without the file have too: a script of another origin may read those as well as the file. */
export function headersOfRefusal({ headers }: FilePolicy): HeaderList {
  return headers.filter((_, at) => /^access-control-/i.test(headers[at - (at % 2)] as string));
}

/** How the files of one place are answered. */
export class FilePolicies {
  readonly #facts: WhiteNoiseFacts | undefined;
  readonly #usual: Readonly<Record<'immutable' | 'revalidated', FilePolicy>>;

  constructor(facts?: WhiteNoiseFacts) {
    this.#facts = facts;
    this.#usual = {
      immutable: { cacheControl: forever, headers: originsOf(facts) },
      revalidated: { cacheControl: cacheControlOf(facts), headers: originsOf(facts) },
    };
  }

  /** By its address, and the name of the file. */
  of(address: string, name: string, { isHashed }: { readonly isHashed: boolean }): FilePolicy {
    const usual = this.#usual[this.isImmutable(address, isHashed) ? 'immutable' : 'revalidated'];
    const contentType = this.#typeOf(name);
    const policy = contentType === undefined ? usual : { ...usual, contentType };
    return (this.#facts?.answers?.[address]?.headers ?? []).reduce(withHeader, policy);
  }

  /** Of an address that leads to another one. */
  get redirectHeaders(): HeaderList {
    const { cacheControl } = this.#usual.revalidated;
    return cacheControl === undefined ? [] : ['Cache-Control', cacheControl];
  }

  /** Whether its content never changes. */
  isImmutable(address: string, isHashed: boolean): boolean {
    return this.#facts?.answers?.[address]?.isImmutable ?? isHashed;
  }

  /** Undefined: what we say of every file. */
  #typeOf(name: string): string | undefined {
    const { mediaTypes = {}, charset, indexFile } = this.#facts ?? {};
    const lower = basename(name).toLowerCase();
    const given = mediaTypes[lower] ?? mediaTypes[extname(lower)];
    if (given === undefined && charset === undefined && basename(name) !== indexFile) return undefined;
    const type = given ?? contentTypeOf(name);
    return /^text\//i.test(type) ? `${type.replace(/;.*/, '')}; charset=${charset ?? 'utf-8'}` : type;
  }
}

// Private

function originsOf(facts: WhiteNoiseFacts | undefined): HeaderList {
  return facts?.allowsAllOrigins === false ? [] : allOrigins;
}

function cacheControlOf(facts: WhiteNoiseFacts | undefined): string | undefined {
  const { maxAgeSeconds } = facts ?? {};
  if (maxAgeSeconds === undefined) return revalidated.cacheControl;
  return maxAgeSeconds === null ? undefined : `max-age=${maxAgeSeconds}, public`;
}

/** The policy with these values for the header, and no others. */
function withHeader(policy: FilePolicy, [name, values]: readonly [string, readonly string[]]): FilePolicy {
  const lower = name.toLowerCase();
  if (lower === 'cache-control') return { ...policy, cacheControl: values.join(', ') || undefined };
  // Without a type the browser would guess.
  if (lower === 'content-type')
    return values[0] === undefined ? policy : { ...policy, contentType: values[0] };
  const { headers } = policy;
  const others = headers.filter((_, at) => (headers[at - (at % 2)] as string).toLowerCase() !== lower);
  return { ...policy, headers: [...others, ...values.flatMap((value) => [name, value])] };
}
