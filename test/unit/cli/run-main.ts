import { main } from '../../../src/cli/main.js';

/** In the place of bin/easyserve.js, which needs a finished build. Started by main.test. */
await main(process);
