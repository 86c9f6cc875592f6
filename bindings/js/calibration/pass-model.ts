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
import { createSession, type RuntimeSession } from '../runtime/runtime.js';
import type { PassModel } from './runner.js';

/**
 * onnxruntime's optimizers take time that grows with the square of the nodes: for a model of more
 * tensors they take longer than they save.
 */
const mostOptimized = 2000;

/**
 * The calibration model with reductions of all `tensors`, to be run in one pass; `forRepairs`: with
 * those of the channels that repairs are made from.
 */
export function writeReductionPass(
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
  tensors: readonly CalibratedTensor[],
  forRepairs: boolean,
): PassModel {
  const asWritten = isRunAsWritten(model, tensors);
  const written = core.writeReductionModel(forRepairs, false);
  const pass = passModel(written, files, input, model);
  const complete = () => passModel(core.writeReductionModel(forRepairs, true), files, input, model);
  return {
    ...pass,
    forNan: written.lacksSums ? complete().model : null,
    asWritten,
    oneThread: forRepairs && tensors.some(({ means }) => means),
    tensors: null,
  };
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
  const asWritten = isRunAsWritten(model, tensors);
  const pass = passModel(core.writeTensorModel(names), files, input, model);
  return { ...pass, forNan: null, asWritten, oneThread: false, tensors: group };
}

const isRunAsWritten = (model: ModelSummary, tensors: readonly CalibratedTensor[]) =>
  model.alreadyQuantized || tensors.length > mostOptimized;

/**
 * The types of the tensors that inference found none of, as the runtime tells them. A model that it
 * cannot load is left to those who run it; where `mustLoad`, throws RUNTIME_CANNOT_LOAD.
 */
export async function learnTypes(
  runtime: Runtime,
  core: CoreSession,
  files: ModelFiles,
  input: InputFiles,
  model: ModelSummary,
  mustLoad = false,
): Promise<Diagnostic[]> {
  const written = core.writeTypeModel();
  if (written === null) return [];
  const { label, outputs, ...pass } = passModel(written, files, input, model);
  let session: RuntimeSession;
  try {
    session = await createSession(runtime, label, { ...pass, optimization: 'disabled' });
  } catch (error) {
    if (error instanceof QuantizeError && !mustLoad) return [];
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
): Omit<PassModel, 'forNan' | 'asWritten' | 'oneThread' | 'tensors'> {
  const externalData = names.map((path) => ({
    path,
    data: path === '~scratch' ? files.scratch : input.runtimeBytes(path),
  }));
  const bytes = files.calibration.toBytes();
  files.calibration.truncate();
  return {
    label: input.label,
    model: bytes,
    irVersion: model.irVersion,
    externalData,
    outputs,
  };
}
