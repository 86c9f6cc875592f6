// What the library must be given in Node and browsers have by themselves: where paths lead, how
// images are decoded without a canvas, what calibration workers are started from. Both ways in
// (index.ts, cli/run.ts) import it.
import { setWorkerScript } from './platform/node.js';
import { setFileLister } from './samples/files/files.js';
import { listNodeFiles } from './samples/files/list-node-files.js';
import { setDecodePlatform } from './samples/images/decode.js';
import { nodeDecodePlatform } from './samples/images/decode-node.js';

setFileLister(listNodeFiles);
setDecodePlatform(nodeDecodePlatform);
setWorkerScript(new URL('./worker/calibration-node.js', import.meta.url));
