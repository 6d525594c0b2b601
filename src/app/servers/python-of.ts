import { type Interpreter, interpreterOf, type Project } from '../../contracts/project-facts.js';

/** The interpreter of a project that has one; used by the servers that run in Python. */
export function pythonOf(project: Project): Interpreter {
  const python = interpreterOf(project);
  if (python === undefined) throw new Error(`a project of kind ${project.kind} has no Python`);
  return python;
}
