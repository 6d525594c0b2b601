import { dirname } from 'node:path';
import { djangoFactsOf, type Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';

/** Folders that a Django project writes to by its own settings. */
export function writtenFolders(project: Project, { collect }: Pick<Settings, 'collect'>): readonly string[] {
  const django = djangoFactsOf(project);
  if (django === undefined) return [];
  const { mediaRoot, staticRoot, databaseFiles = [] } = django;
  const folders = databaseFiles.map((file) => dirname(file)); // SQLite keeps its journal beside the database
  if (mediaRoot !== undefined) folders.push(mediaRoot);
  if (staticRoot !== undefined && collect === 'auto') folders.push(staticRoot);
  return folders;
}
