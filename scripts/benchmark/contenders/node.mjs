import { standalone } from './standalone.mjs';

/**
 * A Node.js application by itself: `node server.mjs` with NODE_ENV=production, as
 * expressjs.com/en/advanced/best-practice-performance.html has it. It keeps no access log.
 */
export function node({ title, needs = [] }) {
  return {
    name: 'node',
    title,
    needs,
    keepsNoAccessLog: true,
    launch(place) {
      const env = { PORT: String(place.port), HOST: '127.0.0.1', NODE_ENV: 'production' };
      return standalone(place, 'node', process.execPath, ['server.mjs'], env);
    },
  };
}
