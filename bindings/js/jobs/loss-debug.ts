// The reference's qdq_loss_debug under its names, with its numbers: weights and activations of a
// float model and of a QDQ model, matched by name. As there, all that is collected is in memory;
// diagnose() keeps sums.
import type { ExternalData, ModelInput } from '../base/bytes.js';
import { Run, type RunOptions } from '../base/run.js';
import { noSamples } from '../calibration/sample-passes.js';
import { dequantize } from '../diagnosis/dequantize.js';
import { ProbedModel } from '../diagnosis/probed-model.js';
import type { ModelSource } from '../options/api.js';
import type { Platform, RuntimeKind } from '../platform/platform.js';
import { checkSample, openSamples, type SampleInput } from '../samples/samples.js';
import { addNoise, type Numbers, noSums, signalToNoise } from '../verify/metrics.js';

/** What createWeightMatching() gives: by the name of the weight in the float model. */
export type WeightMatching = Record<
  string,
  { float: Float32Array; dequantized: Float32Array | Float64Array; dims: number[] }
>;

/** By tensor its values, one array a sample. */
export type Activations = Record<string, Float32Array[]>;

/** By the name of the tensor in the float model. */
export type ActivationMatching = Record<
  string,
  { pre_qdq: Float32Array[]; post_qdq: Float32Array[]; float?: Float32Array[] }
>;

export interface WeightMatchingOptions extends ModelSource {
  /** The QDQ model. */
  quantizedModel: ModelInput;
  quantizedExternalData?: ExternalData | undefined;
}

export interface CollectActivationsOptions extends ModelSource, RunOptions {
  calibrationDataReader: SampleInput;
  /** Only what operators of these types read and make; absent: all float tensors. */
  opTypesForSaving?: readonly string[] | undefined;
  runtime?: RuntimeKind | undefined;
}

const quantSuffix = '_quantized';

/** The reference's create_weight_matching. */
export async function createWeightMatchingOn(
  platform: Platform<unknown>,
  options: WeightMatchingOptions,
): Promise<WeightMatching> {
  const { modelInput, externalData, quantizedModel, quantizedExternalData } = options;
  return withModel(platform, modelInput, externalData, (float) =>
    withModel(platform, quantizedModel, quantizedExternalData, async (quantized) => {
      const matching: WeightMatching = {};
      for (const tensor of quantized.quantized) {
        if (!tensor.constant || !tensor.quantized.endsWith(quantSuffix)) continue;
        const name = tensor.quantized.slice(0, -quantSuffix.length);
        const values = float.constant(name);
        const integers = quantized.constant(tensor.quantized);
        const dims = quantized.structure.initializers[tensor.quantized];
        if (!values || !integers || !dims) continue;
        const dequantized = dequantize(tensor, tensor.type, dims, integers);
        if (dequantized) matching[name] = { float: Float32Array.from(values), dequantized, dims };
      }
      return matching;
    }),
  );
}

/** The reference's compute_weight_error: signal to noise in dB. */
export function computeWeightError(matching: WeightMatching): Record<string, number> {
  return Object.fromEntries(
    Object.entries(matching).map(([name, { float, dequantized }]) => [
      name,
      ratio([float], [dequantized]),
    ]),
  );
}

/**
 * The reference's modify_model_output_intermediate_tensors and collect_activations in one: runs the
 * model as it is written, with its float tensors as further outputs.
 */
export async function collectActivationsOn(
  platform: Platform<unknown>,
  options: CollectActivationsOptions,
): Promise<Activations> {
  const { modelInput, externalData, calibrationDataReader: reader, opTypesForSaving } = options;
  const run = new Run(options);
  return withModel(platform, modelInput, externalData, async (model) => {
    const runtime = await platform.loadRuntime({ kind: options.runtime ?? null });
    const names = floatTensors(model, opTypesForSaving ?? []);
    const probe = await model.probe(
      runtime,
      { outputs: names.map((tensor) => ({ tensor, after: false })) },
      { optimization: 'disabled' },
    );
    const collected: Activations = Object.fromEntries(names.map((name) => [name, []]));
    try {
      const opened = openSamples(reader, model.summary);
      const start = performance.now();
      let index = 0;
      for await (const feeds of opened.samples) {
        if (feeds === null) continue;
        checkSample(feeds, model.summary.inputs, index);
        const given = Object.fromEntries(probe.inputs.map((name) => [name, feeds[name]!]));
        const results = await probe.run(given);
        for (const [i, { data }] of results.entries()) {
          collected[names[i]!]!.push(data as Float32Array);
        }
        run.samples('verify', ++index, opened.length, performance.now() - start);
        await run.checkpoint();
      }
      if (index === 0) throw noSamples();
    } finally {
      await probe.release();
    }
    return collected;
  });
}

function floatTensors({ structure }: ProbedModel, opTypes: readonly string[]): string[] {
  const names = new Set<string>();
  for (const { opType, inputs, outputs } of structure.nodes) {
    if (opTypes.length > 0 && !opTypes.includes(opType)) continue;
    for (const name of [...inputs, ...outputs]) {
      const isFloat = /^float(16|32)$/.test(structure.tensors[name] ?? '');
      if (isFloat && !Object.hasOwn(structure.initializers, name)) names.add(name);
    }
  }
  return [...names];
}

/** The reference's create_activation_matching: before and after each pair of Q and DQ. */
export function createActivationMatching(
  qdqActivations: Activations,
  floatActivations?: Activations,
): ActivationMatching {
  const matching: ActivationMatching = {};
  const add = (name: string, pre: Float32Array[] | undefined, post: Float32Array[] | undefined) => {
    if (pre && post) matching[name] = { pre_qdq: pre, post_qdq: post };
  };
  for (const [name, values] of Object.entries(qdqActivations)) {
    const stem = (suffix: string) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : null);
    const input = stem('_QuantizeLinear_Input');
    const output = stem('_DequantizeLinear_Output') ?? stem('_DequantizeLinear_Output_1');
    if (input !== null) add(input, values, qdqActivations[input]);
    else if (output !== null) add(output, qdqActivations[output], values);
  }
  for (const [name, match] of Object.entries(matching)) {
    const float = floatActivations?.[name];
    if (float) match.float = float;
  }
  return matching;
}

/**
 * The reference's compute_activation_error, in dB: of rounding in the QDQ model, and between both
 * models where the float one has the tensor.
 */
export function computeActivationError(
  matching: ActivationMatching,
): Record<string, { qdq_err: number; xmodel_err?: number }> {
  return Object.fromEntries(
    Object.entries(matching).map(([name, { pre_qdq, post_qdq, float }]) => [
      name,
      {
        qdq_err: ratio(pre_qdq, post_qdq),
        ...(float && { xmodel_err: ratio(float, post_qdq) }),
      },
    ]),
  );
}

/** Its compute_signal_to_quantization_noice_ratio. */
function ratio(signal: readonly Numbers[], other: readonly Numbers[]): number {
  const sums = noSums();
  for (const [i, values] of signal.entries()) addNoise(sums, values, other[i]!);
  return signalToNoise(sums);
}

async function withModel<Result>(
  platform: Platform<unknown>,
  model: ModelInput,
  externalData: ExternalData | undefined,
  work: (model: ProbedModel) => Promise<Result>,
): Promise<Result> {
  const input = await platform.openInput(model, externalData ?? {});
  let opened: ProbedModel | null = null;
  try {
    opened = await ProbedModel.open(input);
    return await work(opened);
  } finally {
    opened?.dispose();
    input.close();
  }
}
