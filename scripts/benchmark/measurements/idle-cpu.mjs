import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuNanoseconds } from '../process-tree.mjs';

/** Long enough for what happens every few seconds. */
const secondsFactor = 4;

/**
 * Processor time, in percent of a core, while `connections` keep-alive connections, which have had one answer each, say nothing.
 */
export function idleCpu(connections) {
  return {
    unit: '% of a core',
    start: 'once',
    needs: [],
    measure: async (entrant, { seconds }) => {
      const sockets = await openAll(entrant, connections);
      try {
        await pause(1000);
        const before = cpuNanoseconds(entrant.pids);
        const start = performance.now();
        await pause(seconds * secondsFactor * 1000);
        const elapsedMs = performance.now() - start;
        const used = cpuNanoseconds(entrant.pids) - before;
        if (sockets.some((socket) => socket.destroyed)) return { error: 'it closed idle connections' };
        return { value: (100 * used) / (elapsedMs * 1_000_000) };
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    },
  };
}

// Private

async function openAll({ url, request }, count) {
  const { hostname, port, host } = new URL(url);
  const sockets = [];
  for (let n = 0; n < count; n++) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined); // it is destroyed then, which is what is looked at
    socket.write(`GET ${request.path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await once(socket, 'data');
    socket.resume();
    sockets.push(socket);
  }
  return sockets;
}
