/** The same answer as the minimal Django view, by node:http alone. */
import { createServer } from 'node:http';

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('Hello, world!\n');
}).listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1');
