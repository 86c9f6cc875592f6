// The float model as it is prepared for quantizing, by itself: what the reference's
// quant_pre_process does.

import { QuantizeError } from '../base/errors.js';
import { Run } from '../base/run.js';
import type { Diagnostic } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { type ModelPair, modelPairKeys, type PreprocessOptions } from '../options/api.js';
import { type CheckedPreprocess, preprocessOptions } from '../options/preprocess.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import { refuseToOverwrite } from './file-uses.js';
import type { JobExtras } from './quantize-static.js';

// The lowest opset in which every format can be written: DequantizeLinear has an axis from there.
const perChannelOpset = 13;

export interface PreprocessReport {
  bytesAfter: number;
  opsetBefore: number;
  opsetAfter: number;
  nodesBefore: number;
  nodesAfter: number;
  passes: { name: string; changes: number }[];
  diagnostics: Diagnostic[];
}

export interface PreprocessResult<Model> {
  model: Model;
  externalData: { name: string; data: Model } | null;
  report: PreprocessReport;
}

/** Checks the parameters, then prepares. */
export async function preprocessOn<Model>(
  platform: Platform<Model>,
  options: PreprocessOptions,
): Promise<PreprocessResult<Model>> {
  options.signal?.throwIfAborted();
  const given = readParameters(preprocessOptions, options, modelPairKeys);
  return preprocessChecked(platform, options, checkOptions(preprocessOptions, given));
}

export async function preprocessChecked<Model>(
  platform: Platform<Model>,
  source: ModelPair,
  checked: CheckedPreprocess,
  { files: others = [], beforeCommit }: JobExtras<PreprocessReport> = {},
): Promise<PreprocessResult<Model>> {
  const run = new Run(source);
  const dataName = checked.external_data_location;
  if (dataName !== null && /[/\\]|^\.\.?$/.test(dataName)) {
    throw new QuantizeError(
      'INVALID_OPTION',
      `external_data_location: expected a file name without folders but received "${dataName}"`,
    );
  }
  if (dataName !== null && source.modelOutput?.split(/[/\\]/).at(-1) === dataName) {
    throw new QuantizeError('INVALID_OPTION', 'external_data_location is the model itself');
  }
  const output = platform.openOutput(source.modelOutput, dataName ?? undefined);
  let close = () => {};
  try {
    const input = await platform.openInput(source.modelInput, source.externalData ?? {});
    close = () => input.close();
    const core = await run.stage('load', () => CoreSession.create(new ModelFiles(input, output)));
    close = () => {
      core.dispose();
      input.close();
    };
    const summary = core.open();
    refuseToOverwrite(platform, {
      input,
      externalFiles: summary.externalFiles,
      output,
      writesData: checked.save_as_external_data,
      others,
    });
    core.configure({ optimize_model: checked.skip_optimization !== true });
    const prepared = await run.stage('prepare', () => core.prepare(perChannelOpset));
    run.note(...prepared.diagnostics);
    await run.stage('quantize', () =>
      core.writePrepared(checked.save_as_external_data ? output.dataName : ''),
    );
    const bytesAfter = output.model.size + output.data.size;
    const { opsetBefore, opsetAfter, nodesBefore, nodesAfter, passes } = prepared;
    const { diagnostics } = run;
    const about = { bytesAfter, opsetBefore, opsetAfter, nodesBefore, nodesAfter };
    const report: PreprocessReport = { ...about, passes, diagnostics };
    const also = (await beforeCommit?.(report)) ?? [];
    const { model, data } = output.commit(also);
    return {
      model,
      externalData: data === null ? null : { name: output.dataName, data },
      report,
    };
  } finally {
    close();
    output.discard();
  }
}
