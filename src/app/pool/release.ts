import type { Project } from '../../contracts/project-facts.js';
import type { ProcessPlan } from '../../project/process-plan.js';
import type { LoadedSettings } from '../../settings/load.js';

/**
 * One version of the site, as it was loaded: plain data, so that it reaches a throng worker as a message. It is never changed,
 * only replaced. The application processes that run it in one site are a Generation.
 */
export interface Release extends Pick<LoadedSettings, 'settings' | 'origins' | 'file'> {
  /** Number of the processes that run it: 1 for the first, one more for each reload that starts new ones. */
  readonly generation: number;
  readonly project: Project;
  /** Of the whole instance: a worker of a cluster gets a share of the processes. */
  readonly plan: ProcessPlan;
}
