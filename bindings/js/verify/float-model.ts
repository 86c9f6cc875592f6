// The float model as onnxruntime runs it: for calibration (prepared, with the reductions that the core
// put in), and as it was given, which is what a result is compared with.

import type { CalibratedTensor, CalibrationModel, ModelSummary } from '../base/types.js';
import type { PassModel } from '../calibration/runner.js';
import type { CoreSession } from '../core/core.js';
import type { ModelFiles } from '../core/host-files.js';
import type { InputFiles, Runtime, RuntimeBytes } from '../platform/platform.js';
import {
  createSession,
  isRunnableIrVersion,
  type RuntimeSession,
  withRunnableIrVersion,
} from '../runtime/runtime.js';

/** The calibration model with reductions, to be run in one pass. Weights stay in the files where they are. */
export function writeReductionPass(
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
): PassModel {
  return passModel(core.writeReductionModel(), files, input, model, null);
}

/** The calibration model that brings out tensors number `group`. */
export function writeTensorPass(
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
  tensors: readonly CalibratedTensor[],
  group: readonly number[],
): PassModel {
  const names = group.map((number) => tensors[number]!.name);
  return passModel(core.writeTensorModel(names), files, input, model, group);
}

function passModel(
  { outputs, files: names }: CalibrationModel,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
  tensors: readonly number[] | null,
): PassModel {
  const externalData = names.map((path) => ({
    path,
    data: path === '~scratch' ? files.scratch.toBytes() : input.runtimeBytes(path),
  }));
  const bytes = withRunnableIrVersion(files.calibration.toBytes(), model.irVersion);
  files.calibration.truncate();
  return {
    label: input.label,
    asWritten: model.alreadyQuantized,
    model: bytes,
    externalData,
    outputs,
    tensors,
  };
}

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

/** Outputs to compare: the float ones; where there is none, all tensors, so that the result is run at least. */
export function comparedOutputs(model: ModelSummary): string[] {
  const float = model.outputs.filter((output) => floatTypes.includes(output.type));
  const tensors = model.outputs.filter((output) => tensorTypes.test(output.type));
  return (float.length > 0 ? float : tensors).map((output) => output.name);
}
