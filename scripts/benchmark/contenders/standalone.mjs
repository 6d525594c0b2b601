import { ServerProcess } from '../server-process.mjs';

/** One program that serves the site by itself at the port of its place. */
export function standalone(place, name, command, args, env = {}) {
  const server = new ServerProcess(command, args, {
    name,
    cwd: place.site.folder,
    logFolder: place.folder,
    env,
  });
  return { url: `http://127.0.0.1:${place.port}`, processes: [server] };
}
