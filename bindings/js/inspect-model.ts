// What a model is, before anything is done with it: its graph is read, its weights are not.
import { CoreSession } from './core.js';
import { ModelFiles } from './host-files.js';
import type { ModelInput, Platform } from './platform/platform.js';
import type { ModelSummary } from './types.js';

/** Throws QuantizeError INVALID_MODEL, TRUNCATED_MODEL, UNSUPPORTED_OPSET, FILE_NOT_FOUND. */
export async function inspectOn(
  platform: Platform<unknown>,
  model: ModelInput,
): Promise<ModelSummary> {
  const input = await platform.openInput(model, {});
  let core: CoreSession | null = null;
  try {
    core = await CoreSession.create(new ModelFiles(input));
    return core.open();
  } finally {
    core?.dispose();
    input.close();
  }
}
