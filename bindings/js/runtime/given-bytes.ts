// What onnxruntime is given of a model. onnxruntime-web has a large one four times while it loads
// it: as an array, in its heap, as messages of protobuf and as tensors; and its heap never becomes
// smaller. So it gets the graph without the weights, and these, tensor by tensor, from their file.
import { type ByteSource, type RuntimeBytes, whole } from '../base/bytes.js';
import { skeletonOf } from '../core/skeleton.js';
import { BytesSource } from '../platform/memory-input.js';
import type { Runtime } from '../platform/platform.js';
import { mountedFile } from './mounted-file.js';

/** What a session is made of; a ByteSource stays here, the rest may be sent to workers. */
export type SessionBytes = RuntimeBytes | ByteSource;

export const isSource = (data: SessionBytes): data is ByteSource =>
  typeof data === 'object' && 'read' in data;

/** As it can be sent to a worker. */
export const sendable = (data: SessionBytes): RuntimeBytes => (isSource(data) ? whole(data) : data);

export interface ExternalBytes {
  path: string;
  data: SessionBytes;
}

export const sendableData = (files: readonly ExternalBytes[]) =>
  files.map(({ path, data }) => ({ path, data: sendable(data) }));

export interface GivenBytes {
  model: Uint8Array | string;
  externalData: { path: string; data: Uint8Array | string }[];
  /** To be called when the session is there. */
  close(): void;
}

/** Smaller models are given as they are: the graph is written anew in less time, not in none. */
export const leastByReference = 4 * 2 ** 20;

/** Newest IR version that onnxruntime-web 1.30 loads. */
const newestIrVersion = 13;

/** `irVersion`: the model's. */
export async function givenBytes(
  runtime: Runtime,
  model: SessionBytes,
  externalData: readonly ExternalBytes[],
  irVersion: number,
): Promise<GivenBytes> {
  return runtime.kind === 'node'
    ? forNative(runtime, model, externalData, irVersion)
    : forWeb(runtime, model, externalData, irVersion);
}

async function forNative(
  { readFile }: Runtime,
  model: SessionBytes,
  externalData: readonly ExternalBytes[],
  irVersion: number,
): Promise<GivenBytes> {
  const bytesOf = async (data: SessionBytes) => {
    if (isSource(data)) return whole(data);
    if (data instanceof Blob) return new Uint8Array(await data.arrayBuffer());
    return typeof data === 'string' && readFile ? readFile(data) : data;
  };
  // It reads a model by its path without a copy in JavaScript.
  const asPath = typeof model === 'string' && isRunnable(irVersion);
  return {
    model: asPath ? model : runnable((await bytesOf(model)) as Uint8Array, irVersion),
    externalData: await Promise.all(
      externalData.map(async ({ path, data }) => ({ path, data: await bytesOf(data) })),
    ),
    close() {},
  };
}

async function forWeb(
  { open }: Runtime,
  model: SessionBytes,
  externalData: readonly ExternalBytes[],
  irVersion: number,
): Promise<GivenBytes> {
  const opened: ByteSource[] = [];
  const sourceOf = async (data: SessionBytes): Promise<ByteSource> => {
    if (isSource(data)) return data;
    if (data instanceof Uint8Array) return new BytesSource(data);
    const source = open?.(data);
    if (source) {
      opened.push(source);
      return source;
    }
    return new BytesSource(new Uint8Array(await (data as Blob).arrayBuffer()));
  };
  const close = () => {
    for (const source of opened) source.close();
  };
  try {
    const source = await sourceOf(model);
    const mounted = await Promise.all(
      externalData.map(async ({ path, data }) => ({ path, data: mount(await sourceOf(data)) })),
    );
    if (source.size < leastByReference) {
      return { model: runnable(arrayOf(source), irVersion), externalData: mounted, close };
    }
    return {
      model: runnable(await skeletonOf(source), irVersion),
      externalData: [...mounted, { path: '~model', data: mount(source) }],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

const mount = (source: ByteSource): Uint8Array =>
  source instanceof BytesSource ? source.bytes : mountedFile(source);

/** Without a copy, where it is in one array. */
const arrayOf = (source: ByteSource): Uint8Array =>
  source instanceof BytesSource ? source.bytes : whole(source);

const isRunnable = (irVersion: number) => irVersion <= newestIrVersion;

/**
 * Bytes that make onnxruntime-web take a model of a newer IR version, appended to it: field 1
 * (ir_version) of ModelProto once more; in protobuf the last one counts.
 */
function runnable(model: Uint8Array, irVersion: number): Uint8Array {
  if (isRunnable(irVersion)) return model;
  const copy = new Uint8Array(model.length + 2);
  copy.set(model);
  copy.set([0x08, newestIrVersion], model.length);
  return copy;
}
