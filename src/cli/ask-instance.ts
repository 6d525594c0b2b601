import { type CallOptions, callInstance, garbled } from '../control/control-client.js';
import type { ControlRequest } from '../control/protocol.js';
import { actAsOwner } from '../privileges/act-as-owner.js';

/**
 * Asks the running instance of a project; root does it as the user whose instance it is. Throws what callInstance throws.
 *
 * `read` makes something of the answer. Whoever listens there may have answered anything: what `read` throws is said of the
 * answer (`instance-garbled`).
 */
export async function askInstance<A, T>(
  projectDir: string,
  request: ControlRequest,
  read: (answer: A) => T,
  options: Omit<CallOptions, 'actAsOwner'> = {},
): Promise<T> {
  const answer = (await callInstance(projectDir, request, { ...options, actAsOwner })) as A;
  try {
    return read(answer);
  } catch (error) {
    throw garbled(error);
  }
}
