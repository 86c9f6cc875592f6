// Modules that vite.config.ts makes.

declare module 'virtual:example' {
  /** All files, one after the other. */
  export const url: string;
  /** Their names and sizes in bytes; the first is the model, the others are images. */
  export const index: [string, number][];
}
