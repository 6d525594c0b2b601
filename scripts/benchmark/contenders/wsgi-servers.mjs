import { dirname, join } from 'node:path';
import { standalone } from './standalone.mjs';

/** WSGI servers by themselves, without a proxy before them. */

/**
 * As cheroot.cherrypy.dev/en/latest/ shows it, with the threads of the row. It keeps no access log.
 */
export function cheroot({ threads }) {
  return {
    name: 'cheroot',
    title: `Cheroot alone, ${threads} threads`,
    needs: ['python:cheroot'],
    keepsNoAccessLog: true,
    launch(place) {
      const [module, callable] = place.site.wsgi.split(':');
      const program = `
from cheroot.wsgi import Server
from ${module} import ${callable}
server = Server(('127.0.0.1', ${place.port}), ${callable}, numthreads=${threads})
server.start()
`;
      return standalone(place, 'cheroot', place.python, ['-c', program]);
    },
  };
}

/** docs.pylonsproject.org/projects/waitress/en/stable/runner.html. It keeps no access log. */
export function waitress({ threads }) {
  return {
    name: 'waitress',
    title: `Waitress alone, ${threads} threads`,
    needs: ['python:waitress'],
    keepsNoAccessLog: true,
    launch(place) {
      const address = ['--host', '127.0.0.1', '--port', String(place.port)];
      const args = ['-m', 'waitress', ...address, '--threads', String(threads), place.site.wsgi];
      return standalone(place, 'waitress', place.python, args);
    },
  };
}

/** Threads by its default, which its README advises to leave alone (github.com/emmett-framework/granian). */
export function granianWsgi({ workers }) {
  return {
    name: 'granian',
    title: `Granian WSGI, ${workers} workers`,
    needs: ['python:granian'],
    launch(place) {
      const args = [
        ...['--interface', 'wsgi', '--workers', String(workers)],
        ...['--host', '127.0.0.1', '--port', String(place.port)],
        place.accessLog ? '--access-log' : '--no-access-log',
        place.site.wsgi,
      ];
      return standalone(place, 'granian', join(dirname(place.python), 'granian'), args);
    },
  };
}
