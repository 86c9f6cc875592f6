// The float model as it is prepared for quantizing, by itself: what the reference's
// quant_pre_process does.

import type { OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run } from '../base/run.js';
import { say } from '../base/text.js';
import type { Diagnostic } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { type ModelPair, modelPairKeys, type PreprocessOptions } from '../options/api.js';
import { type CheckedPreprocess, preprocessOptions } from '../options/preprocess.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { FileUse, Platform } from '../platform/platform.js';
import { checkDump, writeDump } from './dump-passes.js';
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
  /** The data files that the model refers to. */
  externalData: { name: string; data: Model }[];
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
  refuseWithoutEffect(checked);
  const dataName = checked.external_data_location;
  if (dataName !== null && /[/\\]|^\.\.?$/.test(dataName)) {
    throw new QuantizeError(
      'INVALID_OPTION',
      say`external_data_location: expected a file name without folders but received "${dataName}"`,
    );
  }
  if (dataName !== null && source.modelOutput?.split(/[/\\]/).at(-1) === dataName) {
    throw new QuantizeError('INVALID_OPTION', 'external_data_location is the model itself');
  }
  checkDump(platform, checked.dump_passes);
  // As the reference does; a name asks for the one file of that name.
  const filePerTensor =
    checked.save_as_external_data && !checked.all_tensors_to_one_file && dataName === null;
  const output = platform.openOutput(source.modelOutput, dataName ?? undefined);
  let close = () => {};
  try {
    const input = await platform.openInput(source.modelInput, source.externalData ?? {});
    close = () => input.close();
    const files = new ModelFiles(input, output);
    const core = await run.stage('load', () => CoreSession.create(files));
    close = () => {
      core.dispose();
      input.close();
    };
    const summary = core.open();
    refuseToOverwrite(platform, {
      input,
      externalFiles: summary.externalFiles,
      output,
      writesData: checked.save_as_external_data && !filePerTensor,
      others: [...others, ...(filePerTensor ? tensorFileUses(output, summary.externalFiles) : [])],
    });
    core.configure({
      optimize_model: !checked.skip_optimization,
      disabled_passes: checked.disabled_passes,
      target_opset: checked.target_opset,
      fix_dim: checked.fix_dim,
    });
    const minOpset = checked.target_opset === null ? perChannelOpset : 0;
    const dump = checked.dump_passes;
    const prepared = await run.stage('prepare', () =>
      core.prepare({ minOpset, dump: dump !== null }),
    );
    writeDump(platform, dump, files);
    run.note(...prepared.diagnostics);
    const bytesAfter = await run.stage('quantize', () =>
      core.writePrepared({
        externalFile: checked.save_as_external_data ? output.dataName : '',
        threshold: checked.external_data_size_threshold,
        filePerTensor,
        inferredTypes: !checked.skip_onnx_shape,
      }),
    );
    const { opsetBefore, opsetAfter, nodesBefore, nodesAfter, passes } = prepared;
    const { diagnostics } = run;
    const about = { bytesAfter, opsetBefore, opsetAfter, nodesBefore, nodesAfter };
    const report: PreprocessReport = { ...about, passes, diagnostics };
    const also = (await beforeCommit?.(report)) ?? [];
    const { model, data, tensorFiles } = output.commit(also);
    const oneFile = data === null ? [] : [{ name: output.dataName, data }];
    return { model, externalData: [...oneFile, ...tensorFiles], report };
  } finally {
    close();
    output.discard();
  }
}

/** Throws UNSUPPORTED_OPTION for an option that another one leaves without effect. */
function refuseWithoutEffect(checked: CheckedPreprocess): void {
  const refuse = (name: string, why: string, hint: string) => {
    throw new QuantizeError('UNSUPPORTED_OPTION', say`${name} has no effect ${why}`, { hint });
  };
  if (checked.skip_optimization && checked.disabled_passes.length > 0) {
    refuse('disabled_passes', 'with skip_optimization', 'leave one of them out');
  }
  if (checked.save_as_external_data) return;
  const given = [
    checked.all_tensors_to_one_file && 'all_tensors_to_one_file',
    checked.external_data_location !== null && 'external_data_location',
    checked.external_data_size_threshold !== 1024 && 'external_data_size_threshold',
  ].find((name) => name !== false);
  if (given) refuse(given, 'without save_as_external_data', 'add save_as_external_data');
}

/** Of the files that the model's tensors go to, those that have the name of one that is read. */
function tensorFileUses(output: OutputFiles<unknown>, externalFiles: readonly string[]): FileUse[] {
  const { dataName, dataPath } = output;
  if (dataPath === undefined) return [];
  return externalFiles
    .filter((name) => name.startsWith(`${dataName}.`))
    .map((name) => ({
      option: 'a data file of model_output',
      path: dataPath + name.slice(dataName.length),
      writes: true,
    }));
}
