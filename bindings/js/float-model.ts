// The float model as onnxruntime runs it: for calibration (prepared, with the reductions that the core
// put in), and as it was given, which is what a result is compared with.
import type { CoreSession } from './core.js';
import type { ModelFiles } from './host-files.js';
import type { InputFiles, OrtModule, RuntimeBytes } from './platform/platform.js';
import {
  createSession,
  isRunnableIrVersion,
  type RuntimeSession,
  withRunnableIrVersion,
} from './runtime.js';
import type { CalibrationModel, ModelSummary } from './types.js';

/** Writes the calibration model and loads it. Weights stay in the files where they are. */
export async function loadCalibrationModel(
  ort: OrtModule,
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
): Promise<{ session: RuntimeSession; calibration: CalibrationModel }> {
  const calibration = core.writeCalibrationModel();
  const externalData = calibration.files.map((path) => ({
    path,
    data: path === '~scratch' ? files.scratch.toBytes() : input.runtimeBytes(path),
  }));
  const bytes = withRunnableIrVersion(files.calibration.toBytes(), model.irVersion);
  files.calibration.truncate();
  // Unoptimized, as the reference calibrates: fusions would hide tensors and change roundings.
  const session = await createSession(ort, input.label, {
    model: bytes,
    externalData,
    optimization: 'disabled',
  });
  return { session, calibration };
}

/** Loads the model as it was given. Throws RUNTIME_CANNOT_LOAD. */
export async function loadAsGiven(
  ort: OrtModule,
  input: InputFiles,
  model: ModelSummary,
): Promise<RuntimeSession> {
  const externalData = model.externalFiles.map((path) => ({
    path,
    data: input.runtimeBytes(path),
  }));
  return createSession(ort, input.label, {
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
