import type { Check } from './check.js';

/** Two browsers with a few tabs each hold as many. */
const FEW_THREADS = 20;

export const sessionChecks: readonly Check[] = [
  {
    name: 'socket-io-under-wsgi',
    severity: 'note',
    doc: 'Socket.IO (Flask-SocketIO) in a WSGI application, which has no WebSockets: its clients stay with long polling',
    isQuick: false,
    find: ({ project }) =>
      project.kind === 'wsgi' && project.hasEngineIo === true
        ? [
            {
              message:
                'Socket.IO has no WebSockets under WSGI: its clients stay with long polling, each on a thread of its own.',
              fix: `${project.python.path} -m pip install gunicorn simple-websocket, and command = "gunicorn --workers 1 --threads 100 --bind unix:$SOCKET ${gunicornName(project.application)}"`,
            },
          ]
        : [],
  },
  {
    name: 'socket-io-threads',
    severity: 'warning',
    doc: 'Socket.IO by long polling in a WSGI application with fewer than 20 threads in all: each visitor holds one nearly all the time',
    isQuick: true,
    find: ({ project, plan }) => {
      const threads = plan.threads * plan.processes;
      if (project.kind !== 'wsgi' || project.hasEngineIo !== true || threads >= FEW_THREADS) return [];
      const message = `Each visitor of Socket.IO holds a thread nearly all the time, and there are ${threads}.`;
      return [{ message, fix: 'easyserve start --threads 64, or more than there are visitors at a time' }];
    },
  },
];

// Private

/** gunicorn takes a factory with its brackets only in quotes, which would end those of the setting. */
function gunicornName(application: string): string {
  return application.endsWith('()') ? `'${application}'` : application;
}
