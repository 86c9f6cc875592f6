// Which build of the library this is: what a report of a fault has to say.

import * as build from '../wasm/build-info.mjs';

export interface Version {
  /** Of the package: "0.1.0". */
  version: string;
  /** The commit that it was built from; null where it was no repository. */
  commit: string | null;
  /** What compiled the core: "Emscripten 3.1.69". */
  compiler: string;
  /** The compiler's flags that the core's speed and its results depend on. */
  flags: string;
}

/** The version of the library, and how its core was compiled. */
export function version(): Version {
  const { version, commit, compiler, flags } = build;
  return { version, commit, compiler, flags };
}
