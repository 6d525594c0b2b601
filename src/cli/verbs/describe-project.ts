import { djangoFactsOf, interpreterOf, kindNames, type Project } from '../../contracts/project-facts.js';
import { describeBytes } from '../text/describe-quantity.js';
import type { Observation } from '../text/finding.js';

/** What `easyserve check` says of an application that could be imported. */
export function describeProject(project: Project, startedRssBytes?: number): readonly Observation[] {
  const python = interpreterOf(project);
  const django = djangoFactsOf(project);
  return [
    ...(python === undefined
      ? []
      : [{ name: 'python', text: `${python.version}, ${python.path} (${python.source})` }]),
    describeApplication(project, startedRssBytes),
    ...(django === undefined || project.kind !== 'django'
      ? []
      : [{ name: 'django', text: `${django.version}, ${project.settingsModule}` }]),
  ];
}

// Private

/** Python's applications are loaded to look at them, those of Node.js started (try-node-application). */
function describeApplication(project: Project, startedRssBytes: number | undefined): Observation {
  const { application } = project;
  if (!('python' in project))
    return {
      name: 'application',
      text: `${kindNames[project.kind]}, ${application}${describeStart(startedRssBytes)}`,
    };
  const { applicationRssBytes } = project;
  const size = applicationRssBytes === undefined ? '' : `, ${describeBytes(applicationRssBytes)} in memory`;
  return { name: 'application', text: `${application}, imported${size}` };
}

function describeStart(rssBytes: number | undefined): string {
  return rssBytes === undefined ? '' : `, started, ${describeBytes(rssBytes)} in memory`;
}
