import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The thread of ControlLink that reads the descriptor which joins the process to easyserve: passes each line on, and ends the
 * process with its children when easyserve has gone.
 */
const descriptor = new Socket({ fd: workerData as number, readable: true, writable: false });
createInterface({ input: descriptor }).on('line', (line) => parentPort?.postMessage(line));
descriptor.on('error', () => {}); // `close` follows
// The process leads a group of its own (app/process/process-group).
descriptor.once('close', () => process.kill(-process.pid, 'SIGKILL'));
