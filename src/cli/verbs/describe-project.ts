import { djangoFactsOf, interpreterOf, kindNames, type Project } from '../../contracts/project-facts.js';
import { describeBytes } from '../text/describe-quantity.js';
import type { Observation } from '../text/finding.js';

/** What `easyserve check` says of an application that could be imported. */
export function describeProject(project: Project): readonly Observation[] {
  const python = interpreterOf(project);
  const django = djangoFactsOf(project);
  return [
    ...(python === undefined
      ? []
      : [{ name: 'python', text: `${python.version}, ${python.path} (${python.source})` }]),
    describeApplication(project),
    ...(django === undefined || project.kind !== 'django'
      ? []
      : [{ name: 'django', text: `${django.version}, ${project.settingsModule}` }]),
  ];
}

// Private

/** Only Python's applications are loaded to look at them. */
function describeApplication(project: Project): Observation {
  const { application } = project;
  if (!('python' in project))
    return { name: 'application', text: `${kindNames[project.kind]}, ${application}` };
  const { applicationRssBytes } = project;
  const size = applicationRssBytes === undefined ? '' : `, ${describeBytes(applicationRssBytes)} in memory`;
  return { name: 'application', text: `${application}, imported${size}` };
}
