import { dirname } from 'node:path';
import type { Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { writtenPlaces } from './written-places.js';

/** Folders that a Django project writes to by its own settings. */
export function writtenFolders(project: Project, settings: Pick<Settings, 'collect'>): readonly string[] {
  return writtenPlaces(project, settings).map(({ kind, path }) => (kind === 'file' ? dirname(path) : path));
}
