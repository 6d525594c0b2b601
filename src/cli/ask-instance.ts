import { type CallOptions, callInstance } from '../control/control-client.js';
import type { ControlRequest } from '../control/protocol.js';
import { actAsOwner } from '../privileges/act-as-owner.js';

/** Asks the running instance of a project; root does it as the user whose instance it is. Throws what callInstance throws. */
export function askInstance(
  projectDir: string,
  request: ControlRequest,
  options: Omit<CallOptions, 'actAsOwner'> = {},
): Promise<unknown> {
  return callInstance(projectDir, request, { ...options, actAsOwner });
}
