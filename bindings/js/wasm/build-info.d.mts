// What the library was built from, and with what; written into dist by the build of the core.

/** Of the package. */
export const version: string;
/** null: not built in a repository. */
export const commit: string | null;
export const compiler: string;
export const flags: string;
