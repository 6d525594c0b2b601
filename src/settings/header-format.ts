import { mapOf, textLike } from './formats.js';

/** Field names are tokens (RFC 9110 section 5.1); a value is visible ASCII with single spaces or more in it. */
export const headerTable = mapOf(
  textLike(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'the name of a header'),
  textLike(/^[!-~](?:[ -~]*[!-~])?$/, 'the value of a header'),
  'a table of header names and values',
);
