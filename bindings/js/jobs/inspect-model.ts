// What a model is, before anything is done with it: its graph is read, its weights are not, so its
// data files need not be there yet; their names are in the summary.

import type { ByteSource, InputFiles, ModelInput } from '../base/bytes.js';
import type { ModelForecast, ModelSummary } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import type { InspectOptions } from '../options/api.js';
import { type CheckedInspect, inspectOptions } from '../options/inspect.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import { fixDims } from './fix-dims.js';

/** What inspecting takes of a platform: nothing is run. */
type Opener = Pick<Platform<unknown>, 'openInput'>;

/** What a model is, and what quantizing would make of it. */
export interface ModelInspection extends ModelSummary, ModelForecast {}

/**
 * Checks the parameters, then inspects. Throws QuantizeError as summarizeOn(), INVALID_OPTION.
 */
export function inspectOn(
  platform: Opener,
  model: ModelInput,
  options: InspectOptions = {},
): Promise<ModelInspection> {
  const given = readParameters(inspectOptions, options, []);
  return inspectChecked(platform, model, checkOptions(inspectOptions, given));
}

export async function inspectChecked(
  platform: Opener,
  model: ModelInput,
  { fix_dim: dims }: CheckedInspect,
): Promise<ModelInspection> {
  const input = await platform.openInput(model, {});
  try {
    return await coreOf(withoutDataFiles(input), (core) => {
      const summary = core.open();
      const forecast = core.inspect(dims); // refuses dimensions that there are not
      return { ...fixDims(summary, dims), ...forecast };
    });
  } finally {
    input.close();
  }
}

/** Throws QuantizeError INVALID_MODEL, TRUNCATED_MODEL, UNSUPPORTED_OPSET, FILE_NOT_FOUND. */
export async function summarizeOn(platform: Opener, model: ModelInput): Promise<ModelSummary> {
  const input = await platform.openInput(model, {});
  try {
    return await coreOf(withoutDataFiles(input), (core) => core.open());
  } finally {
    input.close();
  }
}

/** Opens a session for one question. */
export async function coreOf<T>(input: InputFiles, ask: (core: CoreSession) => T): Promise<T> {
  const core = await CoreSession.create(new ModelFiles(input));
  try {
    return ask(core);
  } finally {
    core.dispose();
  }
}

/** Lets missing data files read as zeros, of any length. */
export function withoutDataFiles(input: InputFiles): InputFiles {
  return {
    label: input.label,
    source: (name) => input.source(name) ?? (name.startsWith('~') ? null : zeros),
    runtimeBytes: (name) => input.runtimeBytes(name),
    close: () => input.close(),
  };
}

const zeros: ByteSource = {
  size: Number.MAX_SAFE_INTEGER,
  read(_offset, into) {
    into.fill(0);
  },
  close() {},
};
