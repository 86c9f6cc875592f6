// How pictures are preprocessed, by itself: for a page that shows it before anything is quantized.

import type { InputFiles } from '../base/bytes.js';
import { Run, type RunOptions } from '../base/run.js';
import type { PreprocessFinding, SampleSource } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { findPreprocess } from '../evidence/find-preprocess.js';
import type { ModelSource } from '../options/api.js';
import type { Platform, RuntimeKind } from '../platform/platform.js';

export interface FindPreprocessOptions extends ModelSource, RunOptions {
  /** datasetReader() or imageReader(). */
  calibrationDataReader: SampleSource;
  /** Which onnxruntime runs the model; absent: the fastest that is there. */
  runtime?: RuntimeKind | undefined;
}

/**
 * null where nothing is open: samples are no pictures, or their preprocessing is said. Throws as a
 * run does.
 */
export async function findPreprocessOn(
  platform: Platform<unknown>,
  options: FindPreprocessOptions,
): Promise<PreprocessFinding | null> {
  const { modelInput, externalData, calibrationDataReader: reader, runtime: kind } = options;
  const run = new Run(options);
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
  try {
    return await run.stage('load', async () => {
      input = await platform.openInput(modelInput, externalData ?? {});
      const files = new ModelFiles(input);
      core = await CoreSession.create(files);
      const model = core.open();
      const runtime = await platform.loadRuntime({ kind: kind ?? null });
      return findPreprocess({ platform, core, files, input, model, runtime, run, reader });
    });
  } finally {
    (core as CoreSession | null)?.dispose();
    (input as InputFiles | null)?.close();
  }
}
