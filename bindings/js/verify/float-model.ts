// The float model as it was given, which a result is compared with.
import type { InputFiles, RuntimeBytes } from '../base/bytes.js';
import type { ModelSummary } from '../base/types.js';
import type { Runtime } from '../platform/platform.js';
import {
  createSession,
  isRunnableIrVersion,
  type RuntimeSession,
  withRunnableIrVersion,
} from '../runtime/runtime.js';

/** Loads the model as it was given. Throws RUNTIME_CANNOT_LOAD. */
export async function loadAsGiven(
  runtime: Runtime,
  input: InputFiles,
  model: ModelSummary,
): Promise<RuntimeSession> {
  const externalData = model.externalFiles.map((path) => ({
    path,
    data: input.runtimeBytes(path),
  }));
  return createSession(runtime, input.label, {
    model: runnableBytes(input, model),
    externalData,
    optimization: 'basic',
  });
}

function runnableBytes(input: InputFiles, model: ModelSummary): RuntimeBytes {
  if (isRunnableIrVersion(model.irVersion)) return input.runtimeBytes('~model');
  const source = input.source('~model');
  const bytes = new Uint8Array(source?.size ?? 0);
  source?.read(0, bytes);
  return withRunnableIrVersion(bytes, model.irVersion);
}

const floatTypes = ['float32', 'float16', 'float64'];
const tensorTypes = /^(float|u?int|bool)\d*$/;

/**
 * Outputs to compare: the float ones; where there is none, all tensors, so that the result is run
 * at least.
 */
export function comparedOutputs(model: ModelSummary): string[] {
  const float = model.outputs.filter((output) => floatTypes.includes(output.type));
  const tensors = model.outputs.filter((output) => tensorTypes.test(output.type));
  return (float.length > 0 ? float : tensors).map((output) => output.name);
}
