// A model without its weights, for a runtime that takes these from elsewhere, tensor by tensor.
import type { ByteSource } from '../base/bytes.js';
import { ModelFiles } from './host-files.js';
import { CoreSession } from './session.js';

/**
 * The bytes of a model in which the data of tensors are references to '~model'. Throws
 * INVALID_MODEL, TRUNCATED_MODEL.
 */
export async function skeletonOf(model: ByteSource): Promise<Uint8Array> {
  const files = new ModelFiles({
    label: '~model',
    source: (name) => (name === '~model' ? model : null),
    runtimeBytes: () => new Uint8Array(),
    close() {},
  });
  const core = await CoreSession.create(files);
  try {
    core.writeSkeleton();
    return files.calibration.toBytes();
  } finally {
    core.dispose();
  }
}
