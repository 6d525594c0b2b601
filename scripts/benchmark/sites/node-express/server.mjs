/** The same answer as the minimal Django view, by Express. */
import express from 'express';

const app = express();
app.get('/', (_request, response) => {
  response.type('text/plain').send('Hello, world!\n');
});
app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1');
