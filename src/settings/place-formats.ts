import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Format, listOf, mapOf, textLike } from './formats.js';

/** Formats of things that are somewhere: network addresses, URL paths, folders, Python modules. */

/** RFC 1123 section 2.1; the last label has a letter, else a mistyped IPv4 address would pass as a name. */
const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** What a listening socket can be bound to. */
export const hostAddress: Format<string> = {
  allowed: 'an IP address or a host name, without port or brackets',
  accepts: (value): value is string =>
    typeof value === 'string' && (isIP(value) !== 0 || hostName.test(value)),
  read: (text) => text,
};

/** What a Host header may say: RFC 9110 section 7.2. */
export const hostHeader: Format<string> = {
  allowed: 'a host name or IP address, with a port if needed',
  accepts: (value): value is string => typeof value === 'string' && isHostHeader(value),
  read: (text) => text,
};

function isHostHeader(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && Number(port) > 65_535) return false;
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain !== undefined && (isIP(plain) === 4 || hostName.test(plain));
}

const addressBlock: Format<string> = {
  allowed: 'an IP address or CIDR block',
  accepts: (value): value is string => typeof value === 'string' && isAddressBlock(value),
  read: (text) => text,
};

function isAddressBlock(text: string): boolean {
  const [, address = text, bits] = /^([^/]*)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  return bits === undefined || Number(bits) <= (version === 4 ? 32 : 128);
}

export const addressBlocks = listOf(
  addressBlock,
  'a list of IP addresses and CIDR blocks, like ["10.0.0.0/8", "::1"]',
);

/** Printable ASCII without a fragment: what may stand in a request line (RFC 9112 section 3.2.1). */
export const requestPath = textLike(/^\/[!-"$-~]*$/, 'a URL path that begins with a slash');

/** Without a query as well; begins with a slash. */
const pathPrefix = textLike(/^\/[!-"$->@-~]*$/, 'a URL path that begins with a slash');

export const pathPrefixes = listOf(pathPrefix, 'a list of URL paths that begin with a slash');

/** WSGI's SCRIPT_NAME (PEP 3333): empty, or begins with a slash and ends without one. */
export const scriptPrefix = textLike(
  /^(?:\/[!-"$-.0->@-~][!-"$->@-~]*(?<!\/))?$/,
  'empty, or a URL path that begins with a slash and ends without one',
);

export const folder: Format<string> = {
  // A NUL ends a path for the system, so that it would name another folder than the one that was checked.
  ...textLike(/^[^\0]+$/, 'the path of a folder'),
  resolve: (path, projectDir) => resolve(projectDir, path),
};

export const file: Format<string> = { ...folder, allowed: 'the path of a file' };

export const folders = listOf(folder, 'a list of folders');

export const foldersByPrefix = mapOf(
  pathPrefix,
  folder,
  'a table of URL prefixes, each beginning with a slash, and folders',
);

/** A path or a name to be looked up; which of both is for project/ to say. */
export const executable = textLike(/^[^\0]+$/, 'the path or name of a Python interpreter');

const module = String.raw`[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Start}_][\p{ID_Continue}]*)*`;

export const moduleName = textLike(
  new RegExp(`^${module}$`, 'u'),
  'a dotted module name, like mysite.settings',
);

/** The parentheses call a factory: `mysite:create_app()`. */
export const applicationName = textLike(
  new RegExp(`^${module}:${module}(?:\\(\\))?$`, 'u'),
  'written as module:callable, like mysite.wsgi:application',
);

/** A Node.js application is named by its file, Python's by module and callable. */
export const applicationPlace: Format<string> = {
  allowed: `${applicationName.allowed}, or the path of a JavaScript or TypeScript file`,
  accepts: (value): value is string =>
    applicationName.accepts(value) || (typeof value === 'string' && /^[^\0]+\.[cm]?[jt]s$/.test(value)),
  read: (text) => text,
};
