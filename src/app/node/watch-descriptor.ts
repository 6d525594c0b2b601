import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The thread that reads the descriptor which joins the process to easyserve: passes on each line, and ends the process
 * with its children when easyserve has gone. Started by DescriptorLink.
 */
const descriptor = new Socket({ fd: workerData as number, readable: true, writable: false });
createInterface({ input: descriptor }).on('line', (line) => parentPort?.postMessage(line));
descriptor.on('error', () => {}); // is closed then
// The process leads a group of its own (app/process-execution).
descriptor.once('close', () => process.kill(-process.pid, 'SIGKILL'));
