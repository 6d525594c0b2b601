import { writeSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * In the place of bin/easyserve.js for start-daemon.test: tells how it was called and does what the setting `healthPath`
 * says. argv: start <project> --ready-fd 3 …
 */
const argv = process.argv.slice(2);
const mode = argv.find((argument) => argument.startsWith('--set=healthPath='))?.split('=')[2];
console.log(`called with ${JSON.stringify(argv)}`);
console.error('a line on stderr');

const tell = (news: object): void => {
  writeSync(3, `${JSON.stringify(news)}\n`);
};

const stayAlive = (): void => {
  createServer().listen(0, '127.0.0.1');
};

if (mode === '/ready') {
  tell({ ready: { urls: ['http://127.0.0.1:8000'], pid: process.pid } });
  stayAlive();
} else if (mode === '/error') {
  tell({
    error: { code: 'no-application', message: 'No application was found.', hint: 'look', exitCode: 4 },
  });
  process.exitCode = 4;
} else if (mode === '/hang') {
  process.on('SIGTERM', () => {
    console.log('told to end');
    process.exit(0);
  });
  console.log('hanging');
  stayAlive();
} else {
  process.exitCode = Number(mode?.slice(1));
}
