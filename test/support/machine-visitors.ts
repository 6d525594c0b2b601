/**
 * A program: visitors of the URL that is its first argument, one after the other on kept and on fresh connections (`fresh`: on those alone), until its input ends. Says
 * on stderr when the first one was answered, and prints how many were answered with 200, and why the others were not.
 */
import { once } from 'node:events';
import http from 'node:http';

const [, , url = '', kind] = process.argv;
const kept = new http.Agent({ keepAlive: true });
const failures: string[] = [];
let answered = 0;
let hasEnded = false;
process.stdin.resume().once('end', () => {
  hasEnded = true;
});

async function visit(isKept: boolean): Promise<void> {
  try {
    const request = http.get(url, { agent: isKept ? kept : new http.Agent() });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    for await (const _ of response);
    if (response.statusCode === 200 && ++answered === 1) process.stderr.write('first answer\n');
    if (response.statusCode !== 200) failures.push(String(response.statusCode));
  } catch (error) {
    failures.push(String(error));
  }
}

async function beVisitor(): Promise<void> {
  for (let number = 0; !hasEnded; number++) await visit(kind !== 'fresh' && number % 2 === 0);
}

await Promise.all([beVisitor(), beVisitor(), beVisitor()]);
kept.destroy();
process.stdout.write(JSON.stringify({ answered, failures }));
