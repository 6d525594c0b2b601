import { dirname, join } from 'node:path';
import { standalone } from './standalone.mjs';

/** ASGI servers by themselves, one process each, as their deployment pages start them. */

/** www.uvicorn.org/deployment/ */
export function uvicorn() {
  return {
    name: 'uvicorn',
    title: 'uvicorn alone, 1 process',
    needs: ['python:uvicorn'],
    launch(place) {
      const log = place.accessLog ? [] : ['--no-access-log'];
      const address = ['--host', '127.0.0.1', '--port', String(place.port)];
      return standalone(place, 'uvicorn', place.python, [
        '-m',
        'uvicorn',
        ...address,
        ...log,
        place.site.asgi,
      ]);
    },
  };
}

/** github.com/emmett-framework/granian */
export function granianAsgi() {
  return {
    name: 'granian',
    title: 'Granian ASGI alone, 1 worker',
    needs: ['python:granian'],
    launch(place) {
      const args = [
        ...['--interface', 'asgi', '--workers', '1', '--host', '127.0.0.1', '--port', String(place.port)],
        place.accessLog ? '--access-log' : '--no-access-log',
        place.site.asgi,
      ];
      return standalone(place, 'granian', join(dirname(place.python), 'granian'), args);
    },
  };
}

/** hypercorn.readthedocs.io/en/latest/tutorials/usage.html */
export function hypercorn() {
  return {
    name: 'hypercorn',
    title: 'Hypercorn alone, 1 worker',
    needs: ['python:hypercorn'],
    launch(place) {
      const log = place.accessLog ? ['--access-logfile', join(place.folder, 'hypercorn-access.log')] : [];
      const bind = ['--bind', `127.0.0.1:${place.port}`];
      return standalone(place, 'hypercorn', place.python, [
        '-m',
        'hypercorn',
        ...bind,
        ...log,
        place.site.asgi,
      ]);
    },
  };
}
