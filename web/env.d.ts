// Modules that vite.config.ts makes, and what it puts in the place of names.

declare module 'virtual:example' {
  export type ExampleId = 'digits' | 'sharpen';
  /** All files, one after the other. */
  export const url: string;
  /** Names and sizes in bytes, in that order; the first is the model, the others are images. */
  export const index: [ExampleId, [string, number][]][];
}

declare module 'virtual:sizes' {
  /** Of all that lib/engine.ts loads, in bytes. */
  export const totalBytes: number;
}

/** The commit that the page was built from, else what the core's bytes come to. */
declare const __BUILD__: string;
