import type { Project } from '../../contracts/project-facts.js';
import type { Settings } from '../../settings/settings.js';

/** All that one generation of a site is made from: plain data, so that it reaches a throng worker as a message. */
export interface Release {
  /** 1 for the first, one more for each reload. */
  readonly generation: number;
  readonly settings: Settings;
  readonly project: Project;
  /** Application processes of this site. */
  readonly processes: number;
  /** Of all sites: tells the application whether it is alone (`wsgi.multiprocess`). */
  readonly totalProcesses: number;
  readonly threads: number;
}
