// The prepared float model as one pass over the samples runs it: with the reductions that the core
// put in, or with tensors as outputs. Weights stay in the files where they are.
import type { InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type {
  CalibratedTensor,
  CalibrationModel,
  Diagnostic,
  ModelSummary,
} from '../base/types.js';
import type { ModelFiles } from '../core/host-files.js';
import type { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { createSession, type RuntimeSession, withRunnableIrVersion } from '../runtime/runtime.js';
import type { PassModel } from './runner.js';

/** The calibration model with reductions, to be run in one pass. */
export function writeReductionPass(
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
): PassModel {
  return passModel(core.writeReductionModel(), files, input, model, null);
}

/** The calibration model with the tensors numbered in `group` as outputs. */
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

/** The types of the tensors that inference found none of, as the runtime tells them. */
export async function learnTypes(
  runtime: Runtime,
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
): Promise<Diagnostic[]> {
  const written = core.writeTypeModel();
  if (written === null) return [];
  const { label, outputs, ...pass } = passModel(written, files, input, model, null);
  let session: RuntimeSession;
  try {
    session = await createSession(runtime, label, { ...pass, optimization: 'disabled' });
  } catch (error) {
    if (error instanceof QuantizeError) return []; // calibration says so, where there is one
    throw error;
  }
  const types = session.outputTypes();
  await session.release();
  return core.learnTypes(
    Object.fromEntries(Object.entries(types).filter(([name]) => outputs.includes(name))),
  );
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
