// The float model as it is prepared for quantizing, by itself: what the reference's quant_pre_process does.
import { CoreSession } from './core.js';
import { QuantizeError } from './errors.js';
import { ModelFiles } from './host-files.js';
import type { PreprocessOptions } from './options.js';
import type { Platform } from './platform/platform.js';
import { Run } from './progress.js';
import { refuseToOverwrite } from './quantize-static.js';
import { preprocessOptions } from './schema.js';
import type { Diagnostic } from './types.js';
import { checkOptions, fromCamelCase } from './validate.js';

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

export async function preprocessOn<Model>(
  platform: Platform<Model>,
  options: PreprocessOptions,
): Promise<PreprocessResult<Model>> {
  const run = new Run(options);
  options.signal?.throwIfAborted();
  const own = ['externalData', 'signal', 'onProgress', 'onDiagnostic', 'modelInput'];
  const checked = checkOptions(preprocessOptions, fromCamelCase(preprocessOptions, options, own));
  const dataName = checked.external_data_location as string | null;
  if (dataName !== null && /[/\\]|^\.\.?$/.test(dataName)) {
    throw new QuantizeError(
      'INVALID_OPTION',
      `external_data_location: expected a file name without folders but received "${dataName}"`,
    );
  }
  if (dataName !== null && options.modelOutput?.split(/[/\\]/).at(-1) === dataName) {
    throw new QuantizeError('INVALID_OPTION', 'external_data_location is the model itself');
  }
  const output = platform.openOutput(options.modelOutput, dataName ?? undefined);
  let close = () => {};
  try {
    const input = await platform.openInput(options.modelInput, options.externalData ?? {});
    close = () => input.close();
    const core = await run.stage('load', () => CoreSession.create(new ModelFiles(input, output)));
    close = () => {
      core.dispose();
      input.close();
    };
    const summary = core.open();
    if (checked.save_as_external_data) refuseToOverwrite(input, output, summary.externalFiles);
    core.configure({ optimize_model: checked.skip_optimization !== true });
    const prepared = await run.stage('prepare', () => core.prepare(perChannelOpset));
    run.note(...prepared.diagnostics);
    await run.stage('quantize', () =>
      core.writePrepared(checked.save_as_external_data ? output.dataName : ''),
    );
    const bytesAfter = output.model.size + output.data.size;
    const { model, data } = output.commit();
    const { opsetBefore, opsetAfter, nodesBefore, nodesAfter, passes } = prepared;
    const { diagnostics } = run;
    return {
      model,
      externalData: data === null ? null : { name: output.dataName, data },
      report: { bytesAfter, opsetBefore, opsetAfter, nodesBefore, nodesAfter, passes, diagnostics },
    };
  } finally {
    close();
    output.discard();
  }
}
