// What Node makes of a model, to compare the page's bytes with.
import { datasetReader, type QuantizeStaticOptions, quantizeStatic } from 'onnx-ptq';
import { heldOf, pageDefaults } from './app.js';

/** With the page's defaults. */
export async function inNode(
  model: string,
  files: string[],
  options: Partial<QuantizeStaticOptions> = {},
): Promise<Buffer> {
  const result = await quantizeStatic({
    runtime: 'web',
    modelInput: model,
    calibrationDataReader: datasetReader(files),
    ...pageDefaults,
    holdOut: heldOf(files.length),
    ...options,
  });
  return Buffer.from(result.model as Uint8Array);
}
