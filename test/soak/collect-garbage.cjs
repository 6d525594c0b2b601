/**
 * Preloaded into the Node.js processes of a short soak: in a minute V8 has not yet seen a reason to collect what it has no use for,
 * so that every heap seems to grow. What is held for good stays.
 */
const { runInNewContext } = require('node:vm');
const { setFlagsFromString } = require('node:v8');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
setInterval(collect, 500).unref();
