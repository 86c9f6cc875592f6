// Extensions of the files that have a reader, apart from the readers: a page that sorts files needs
// no decoder.

/** Without a dot, by kind, in the order that kinds are named in. */
export const extensions = {
  images: ['jpg', 'jpeg', 'png'],
  npy: ['npy'],
  npz: ['npz'],
  pb: ['pb'],
  wav: ['wav'],
  raw: ['raw', 'bin', 'f32'],
} as const;

/**
 * Extensions of the files that datasetReader() reads, without a dot. A zip of such files will do as
 * well.
 */
export const sampleExtensions: readonly string[] = Object.values(extensions).flat();
