// Dropped and picked files: folders are walked, and each file is sorted by what it is for.
import { byName, isHidden, sampleExtensions } from 'onnx-ptq';

export interface Sorted {
  model: File | null;
  samples: File[];
  /** Data files of a model, or something else: the model's summary knows their names. */
  others: File[];
}

/** The library's, and those that browsers decode themselves. */
const imageExtensions = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'bmp', 'avif'];
const otherExtensions = sampleExtensions.filter(
  (extension) => !imageExtensions.includes(extension),
);

/** What a picker for samples offers. */
export const acceptedSamples = [
  'image/*',
  ...[...otherExtensions, 'zip'].map((one) => `.${one}`),
].join();

const extensionOf = (name: string) => name.slice(name.lastIndexOf('.') + 1).toLowerCase();

/**
 * The last .onnx file is the model; images, arrays, sounds and zips are samples. A file that the
 * model names as its data (`dataFiles`) is none, nor is a .bin that comes with a model. Hidden
 * files are left out.
 */
export function sortFiles(files: readonly File[], dataFiles: readonly string[] = []): Sorted {
  const sorted: Sorted = { model: null, samples: [], others: [] };
  const withModel = files.some((file) => /\.onnx$/i.test(file.name));
  const isData = (file: File) =>
    dataFiles.some((name) => lastPart(name) === lastPart(file.name)) ||
    (withModel && /\.bin$/i.test(file.name));
  for (const file of files) {
    const name = pathOf(file);
    if (isHidden(name)) continue;
    if (/\.onnx$/i.test(name)) sorted.model = file;
    else if (isSample(name) && !isData(file) && lastPart(name) !== 'saved_model.pb')
      sorted.samples.push(named(file, name));
    else sorted.others.push(file);
  }
  sorted.samples.sort(byName); // as the readers do: the first n are the same everywhere
  return sorted;
}

const pathOf = (file: File) => file.webkitRelativePath || file.name;
const lastPart = (path: string) => path.split(/[\\/]/).pop()!;

/** A zip in a folder is left alone, as the readers do. */
function isSample(name: string): boolean {
  const extension = extensionOf(name);
  if (extension === 'zip') return !name.includes('/');
  return imageExtensions.includes(extension) || otherExtensions.includes(extension);
}

/** The path as name, as it has no other place that survives the way to the worker. */
function named(file: File, name: string): File {
  return name === file.name ? file : new File([file], name, { type: file.type });
}

export const isImage = (file: File) => imageExtensions.includes(extensionOf(file.name));

/** Whether there may be images among the files: what a zip has is seen only when it is read. */
export const mayHaveImages = (files: readonly File[]) =>
  files.some((file) => isImage(file) || /\.zip$/i.test(file.name));

/** The files that are no images, counted by extension. */
export function countOthers(files: readonly File[]): [extension: string, count: number][] {
  const counts = new Map<string, number>();
  for (const file of files) {
    if (isImage(file)) continue;
    const extension = file.name.slice(file.name.lastIndexOf('.')).toLowerCase();
    counts.set(extension, (counts.get(extension) ?? 0) + 1);
  }
  return [...counts];
}

/** All files of a drop, those in folders under their path ("dogs/1.jpg"). */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  // Entries must be taken before the first await: the list is emptied after the event.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files: File[] = [];
  for (const entry of entries) {
    if (entry instanceof File) files.push(entry);
    else if (entry) await walk(entry, '', files);
  }
  return files;
}

async function walk(entry: FileSystemEntry, folder: string, into: File[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    into.push(named(file, folder + file.name));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // At most 100 at a time; an empty list is the end.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, `${folder}${entry.name}/`, into);
  }
}

/**
 * The data files that a model refers to, by their names; `missing` are those that were not given.
 */
export function matchExternalFiles(names: readonly string[], files: readonly File[]) {
  const found: Record<string, File> = {};
  const missing: string[] = [];
  for (const name of names) {
    const file = files.find((candidate) => lastPart(candidate.name) === lastPart(name));
    if (file) found[name] = file;
    else missing.push(name);
  }
  return { found, missing };
}

type ExternalFiles = ReturnType<typeof matchExternalFiles>;

export function sameExternalFiles(a: ExternalFiles, b: ExternalFiles): boolean {
  const names = Object.keys(a.found);
  return (
    a.missing.join() === b.missing.join() &&
    names.length === Object.keys(b.found).length &&
    names.every((name) => a.found[name] === b.found[name])
  );
}

/** model.onnx → model.quant.onnx */
export const quantizedName = (name: string) => name.replace(/(\.onnx)?$/i, '.quant.onnx');
