// What Node lacks and browsers have: how paths are listed, where the JPEG decoder is, what
// calibration workers are started from. Both entries (index.ts, cli/run.ts) import it.
import { setWorkerScript } from './platform/node.js';
import { setFileLister } from './samples/files/files.js';
import { listNodeFiles } from './samples/files/list-node-files.js';
import { setDecodePlatform } from './samples/images/decode.js';
import { nodeDecodePlatform } from './samples/images/decode-node.js';

setFileLister(listNodeFiles);
setDecodePlatform(nodeDecodePlatform);
setWorkerScript(new URL('./calibration-node.js', import.meta.url));
