import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Easyserve } from './easyserve.js';
import { ask, type HttpAnswer } from './http-client.js';

/** A request that the application has begun to work on, and goes on with until release(). */
export interface HeldRequest {
  /** The application process that works on it. */
  readonly app: number;
  /** Settles when it is answered, by whatever process. */
  readonly answer: Promise<HttpAnswer>;
}

let count = 0;

/** Sends a request to the view `hold` of the fixture wsgi-hello; resolves when a process has it. */
export async function holdRequest(easyserve: Easyserve, method: 'GET' | 'POST'): Promise<HeldRequest> {
  count += 1;
  const tag = `${method}-${count}`;
  const answer = ask(easyserve.url, `/hold?tag=${tag}`, { method });
  // Nobody may listen yet when it fails.
  answer.catch(() => undefined);
  const { app } = await easyserve.waitFor('application', ({ msg }) => msg === `holding ${tag}`);
  return { app: Number(app), answer };
}

/** Held requests are answered from now on, and new ones at once. */
export function releaseRequests(easyserve: Easyserve): void {
  writeFileSync(join(easyserve.dir, 'released'), '');
}
