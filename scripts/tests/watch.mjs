/**
 * `scripts/test --watch NAME…`: runs those tests, and again whenever a file of src/ or test/ changes, until Ctrl-C.
 *
 * A change in the middle of a run starts another one after it.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watch } from 'chokidar';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** An editor that saves several files at once causes one run. */
const quietMs = 100;
const isNoise =
  /\/(__pycache__|node_modules|\.easyserve|media|static-collected)(\/|$)|\.(pyc|sqlite3(-\w+)?)$|~$/;

let isRunning = false;
let isDue = false;
let timer;

watch([join(root, 'src'), join(root, 'test')], {
  ignoreInitial: true,
  ignored: (path) => isNoise.test(path),
})
  .on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(run, quietMs);
  })
  .on('ready', run);

function run() {
  isDue = isRunning;
  if (isRunning) return;
  isRunning = true;
  const child = spawn(join(root, 'scripts', 'test'), process.argv.slice(2), { stdio: 'inherit' });
  child.on('exit', () => {
    isRunning = false;
    if (isDue) run();
    else console.log('test: waiting for a change; Ctrl-C ends');
  });
}
