import type { DjangoProject } from '../contracts/project-facts.js';

/**
 * What to type in the project's folder for a command of manage.py, with the Python and the settings of the site: manage.py may name
 * others, with another database.
 */
export function manageCommand(
  { python, settingsModule, hasOtherManageSettings }: DjangoProject,
  command: string,
): string {
  const settings = hasOtherManageSettings === true ? ` --settings=${settingsModule}` : '';
  return `${python.path} manage.py ${command}${settings}`;
}
