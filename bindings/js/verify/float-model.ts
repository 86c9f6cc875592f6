// The float model as it was given, which a result is compared with.
import type { InputFiles, RuntimeBytes } from '../base/bytes.js';
import type { ModelSummary } from '../base/types.js';
import type { Runtime } from '../platform/platform.js';
import {
  createSession,
  isRunnableIrVersion,
  type RuntimeModel,
  type RuntimeSession,
  withRunnableIrVersion,
} from '../runtime/runtime.js';

/** Loads the model as it was given. Throws RUNTIME_CANNOT_LOAD. */
export async function loadAsGiven(
  runtime: Runtime,
  input: InputFiles,
  model: ModelSummary,
  optimization: NonNullable<RuntimeModel['optimization']> = 'basic',
): Promise<RuntimeSession> {
  const externalData = model.externalFiles.map((path) => ({
    path,
    data: input.runtimeBytes(path),
  }));
  return createSession(runtime, input.label, {
    model: runnableBytes(input, model),
    externalData,
    optimization,
  });
}

function runnableBytes(input: InputFiles, model: ModelSummary): RuntimeBytes {
  if (isRunnableIrVersion(model.irVersion)) return input.runtimeBytes('~model');
  const source = input.source('~model');
  const bytes = new Uint8Array(source?.size ?? 0);
  source?.read(0, bytes);
  return withRunnableIrVersion(bytes, model.irVersion);
}

/**
 * Sequences, maps and optional values are not tensors: they cannot be fetched from every runtime.
 */
const tensorTypes = /^(float|u?int|bool|string)\d*$/;

/** Outputs to compare: all that are tensors. */
export const comparedOutputs = (model: ModelSummary): string[] =>
  model.outputs.filter(({ type }) => tensorTypes.test(type)).map(({ name }) => name);
