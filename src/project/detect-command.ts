import type { Project } from '../contracts/project-facts.js';

/** The project of the setting `command`: nothing is looked at, for the person has said all. Called by detect-project. */
export function describeCommand(root: string, command: string): Project {
  return {
    kind: 'command',
    server: 'command',
    root,
    python: undefined,
    application: command,
    node: undefined,
    settingsModule: undefined,
    django: undefined,
    applicationRssBytes: undefined,
    warnings: [],
  };
}
