import { ignoreStraySignals } from '../contracts/stray-signals.js';

/** The program at the other end of duplicateHandle (socket-handle.ts): sends back the socket that it is sent, and ends. */
ignoreStraySignals();
process.once('message', (message, handle) => {
  process.send?.(message, handle, {}, () => process.disconnect());
});
