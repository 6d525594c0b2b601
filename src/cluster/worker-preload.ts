/** What a worker begins with, because its program takes a while to load: `node --require worker-preload.js worker.js`. */
import { ignoreStraySignals } from '../contracts/stray-signals.js';

ignoreStraySignals();
