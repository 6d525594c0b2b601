import { granianAsgi, hypercorn, uvicorn } from './contenders/asgi-servers.mjs';
import { easyserve } from './contenders/easyserve.mjs';
import { node } from './contenders/node.mjs';
import { cheroot, waitress } from './contenders/wsgi-servers.mjs';
import { throughput } from './measurements/throughput.mjs';

/**
 * What the hop through http-proxy costs: each application server behind easyserve beside the same server alone, one
 * process each. Written like rows.mjs.
 */
const asgi = { interface: 'asgi', app: 'minimal.asgi:application' };

export const hopRows = [
  hop(
    'cheroot',
    'Cheroot',
    'minimal',
    { set: { server: 'cheroot', threads: 10 } },
    cheroot({ threads: 10 }),
    0.6,
  ),
  hop('uvicorn', 'uvicorn', 'minimal', { set: { server: 'uvicorn', ...asgi } }, uvicorn(), 0.6),
  hop('granian', 'Granian ASGI', 'minimal', { set: { server: 'granian', ...asgi } }, granianAsgi()),
  hop('hypercorn', 'Hypercorn', 'minimal', { set: { server: 'hypercorn', ...asgi } }, hypercorn()),
  hop('node', 'node:http', 'node-bare', {}, node({ title: 'node:http alone' })),
  hop('express', 'Express', 'node-express', {}, node({ title: 'Express alone', needs: ['npm:express'] })),
  hop('command', 'a command (Waitress)', 'minimal', { command: waitressCommand }, waitress({ threads: 10 })),
];

function waitressCommand({ python, site }) {
  return `exec '${python}' -m waitress --host "$HOST" --port "$PORT" --threads 10 ${site.wsgi}`;
}

function hop(name, title, site, behind, peer, atLeast) {
  const ours = easyserve({ ...behind, title: `${title} behind easyserve` });
  return {
    name: `hop-${name}`,
    title: `${title} behind easyserve and alone`,
    isLogged: true,
    site,
    workload: 'minimal',
    measurement: throughput,
    contenders: [{ ...ours, needs: peer.needs }, peer],
    targets: atLeast === undefined ? {} : { [peer.name]: { kind: 'ratio', atLeast } },
  };
}
