// Node 20 optimizes a function of WebAssembly after a millisecond or so of running, in threads of
// its own, when most functions are done: it took a third of the CPU time of a short run of the
// core, and a quarter of any job with onnxruntime-web, which is larger. Later versions wait longer
// by themselves. And it looks at all functions before it compiles those that are called: of
// onnxruntime-web's 14 MB, which are as its package has them, that is 0.1 s. For Node only.
import { setFlagsFromString } from 'node:v8';

const flag = '--wasm-tiering-budget';
const usual = 1_800_000;

/** What a function runs, as V8 counts it, before it is optimized. */
export const budgets = { small: 18_000_000, runtime: 200_000_000 };

/**
 * For modules, whose code is known to be right, that are compiled until the function is called that
 * is returned: they keep what held then. Not where the user has set it.
 */
export function optimizeLate(budget: number): () => void {
  const isSet = process.execArgv.some((given) => given.startsWith(flag));
  if (isSet || !process.version.startsWith('v20.')) return () => {};
  setFlagsFromString(`${flag}=${budget}`);
  setFlagsFromString('--wasm-lazy-validation');
  return () => {
    setFlagsFromString(`${flag}=${usual}`);
    setFlagsFromString('--no-wasm-lazy-validation');
  };
}

/** Of the core and the JPEG decoder. In one go, see platform/node.ts. */
export function compileLate(bytes: Uint8Array): WebAssembly.Module {
  const end = optimizeLate(budgets.small);
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } finally {
    end();
  }
}
