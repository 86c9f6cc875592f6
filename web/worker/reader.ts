// The page's first worker: reads a model and says what it is, with an eighth of the code of the one
// that comes later.
import { errorToData, inspectModel, setCoreModule } from 'onnx-ptq';
import type { ReadRequest } from './page-protocol';

addEventListener('message', async ({ data: { modules, model } }: MessageEvent<ReadRequest>) => {
  if (modules.core) setCoreModule(modules.core);
  try {
    postMessage({ answer: await inspectModel(model) });
  } catch (cause) {
    postMessage({ error: errorToData(cause) });
  }
});
