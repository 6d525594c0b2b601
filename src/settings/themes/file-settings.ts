import { autoOr, boolean, integer, nullable, oneOf, size } from '../formats.js';
import { folder, folders, foldersByPrefix } from '../path-formats.js';
import { defineSetting } from '../setting-definition.js';

export const fileSettings = {
  serveStatic: defineSetting({
    format: boolean,
    default: true,
    doc: "Whether easyserve serves Django's static and media files by itself.",
    effect: 'generation',
  }),
  serveMedia: defineSetting({
    format: autoOr(boolean),
    default: 'auto',
    doc: 'Whether easyserve serves the files below MEDIA_URL by itself. "auto": as `serveStatic` says, and without the addresses that the URLconf has a view of its own for, which may let only some visitors have a file.',
    effect: 'generation',
  }),
  static: defineSetting({
    format: foldersByPrefix,
    default: {},
    doc: 'URL prefixes, each with a folder whose files easyserve serves by itself, in front of the application.',
    effect: 'generation',
  }),
  collect: defineSetting({
    format: oneOf('auto', 'never'),
    default: 'auto',
    doc: '"auto" runs collectstatic at each start and reload when STATIC_ROOT is set.',
    effect: 'generation',
  }),
  wellKnownRoot: defineSetting({
    format: nullable(folder),
    default: null,
    doc: 'Folder whose files are served under /.well-known/.',
    effect: 'generation',
  }),
  mediaMaxAgeSeconds: defineSetting({
    format: integer(0, 2_147_483_647),
    default: 3600,
    doc: 'How long browsers may keep a media file without asking again.',
    effect: 'generation',
  }),
  staticMemoryFileBytes: defineSetting({
    format: size(0),
    default: 262_144,
    doc: 'Static files up to this size are kept in memory.',
    effect: 'generation',
  }),
  compress: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether text is compressed for clients that accept it.',
    effect: 'live',
  }),
  compressMinBytes: defineSetting({
    format: size(0),
    default: 1024,
    doc: 'Responses below this size are not compressed.',
    effect: 'live',
  }),
  sendfileRoots: defineSetting({
    format: folders,
    default: [],
    doc: 'Folders that the application may send files from with the X-Sendfile header.',
    effect: 'live',
  }),
  accelRoots: defineSetting({
    format: foldersByPrefix,
    default: {},
    doc: 'Internal URL prefixes, each with its folder, that the application may name in the X-Accel-Redirect header.',
    effect: 'live',
  }),
};
