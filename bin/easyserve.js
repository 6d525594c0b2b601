#!/usr/bin/env node
// The first thing of all: a SIGUSR1 that nobody listens for opens Node's debugger to every user of the machine, and a SIGUSR2
// ends the process (Node documentation, process, "Signal events").
process.on('SIGUSR1', () => {});
process.on('SIGUSR2', () => {});

// Kept to syntax that old versions of Node can parse, so that they can say what is wrong.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`easyserve: Node ${process.versions.node} is too old; easyserve needs Node 20.19 or later.`);
  process.exitCode = 1;
} else {
  import('../dist/cli/main.js').then(
    (cli) => cli.main(process),
    (error) => {
      const isUnbuilt =
        error.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]cli[\\/]main\.js/.test(error.message);
      if (!isUnbuilt) throw error;
      console.error('easyserve: this checkout has not been built yet.\n  fix: npm run build');
      process.exitCode = 1;
    },
  );
}
