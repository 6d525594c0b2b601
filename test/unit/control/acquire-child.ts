import { describeError } from '../../../src/contracts/errors.js';
import { acquireInstance } from '../../../src/control/instance-lock.js';
import { stateFolderOf } from '../../../src/control/state-folder.js';

/**
 * A process that starts when it is told to. Forked by instance-lock.test; argv: project. Sends 'prepared', waits for a
 * message, then sends what became of it, and lives on until it is disconnected.
 */
const folder = await stateFolderOf(process.argv[2] ?? '');
// A listener that stays keeps the process alive until the test disconnects or kills it.
process.on('message', () => {
  acquireInstance(folder).then(
    (lock) => process.send?.({ recovered: lock.recovered }),
    (error: unknown) => process.send?.({ refused: describeError(error) }),
  );
});
process.send?.('prepared');
