import type { Easyserve } from '../easyserve.js';
import type { Environment } from '../run-easyserve.js';
import type { Files } from './parts.js';

/** A small project of the shape that real ones have, and what its owner expects of it. */
export interface Shape {
  /** What is particular, and who has it so. */
  readonly name: string;
  readonly files: Files;
  /** Of the folder that is started; default: the top one. */
  readonly start?: string;
  /** Of the folder with manage.py; default: the one that is started. */
  readonly project?: string;
  readonly env?: Environment;
  readonly args?: readonly string[];
  /** The settings that serve. */
  readonly settings: string;
  /** Where the page is that has the style sheet, the settings and the version; default: `/`. */
  readonly page?: string;
  /** What the page is asked with. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Cache-Control of the style sheet; default: for ever. */
  readonly caches?: string;
  /** What somebody who is not logged in gets for an upload; default: 200. */
  readonly uploadStatus?: number;
  /** Symbolic links, each with what it leads to. */
  readonly links?: Files;
  /** Puts the second release into its place; default: VERSION is written. */
  readonly deploy?: (top: string) => void;
  /** What the start warns of; default: nothing. */
  readonly says?: readonly RegExp[];
  /** Also in cluster mode. */
  readonly isClustered?: boolean;
  /** What else is particular. */
  readonly also?: (site: Easyserve) => Promise<void>;
}
