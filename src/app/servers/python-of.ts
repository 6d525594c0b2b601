import type { Interpreter, Project } from '../../contracts/project-facts.js';

/** The interpreter of a project that has one; used by the servers that run in Python. */
export function pythonOf({ python, kind }: Project): Interpreter {
  if (python === undefined) throw new Error(`a project of kind ${kind} has no Python`);
  return python;
}
