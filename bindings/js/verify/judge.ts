// What is said about a measured quality: in words for people, and as warnings where the result is
// useless or the comparison cannot tell.
import { asMessage, say } from '../base/text.js';
import type { Assumption, Diagnostic, ModelSummary } from '../base/types.js';
import type { Explanation, TriedSetting } from './explanation.js';
import type { OutputQuality, QualityReport } from './report.js';

/** Under this the outputs have little to do with the float model's. */
const poorDecibels = 10;
/** More of the values of an output that is no float may not differ. */
const mostDifferent = 0.1;

/** Operators whose outputs are other numbers at every run. */
const randomOperators = [
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
];

/** Warnings about a measured quality; `explanation`: why it is poor, where that was asked. */
export function judgeQuality(
  quality: QualityReport,
  model: Pick<ModelSummary, 'opTypes'>,
  explanation: Explanation | null = null,
): Diagnostic[] {
  return [...sizesDiffer(quality), ...poorQuality(quality, model, explanation)];
}

/** Whether an explanation is needed. */
export const isPoorQuality = (
  quality: QualityReport,
  { opTypes }: Pick<ModelSummary, 'opTypes'>,
): boolean => quality.outputs.some(isPoor) && randomIn(opTypes).length === 0;

const randomIn = (opTypes: ModelSummary['opTypes']) =>
  randomOperators.filter((name) => Object.hasOwn(opTypes, name));

function sizesDiffer({ outputs, samples }: QualityReport): Diagnostic[] {
  const counted = outputs.filter(({ sizes }) => sizes !== null);
  if (counted.length === 0) return [];
  const texts = counted.map(({ name, sizes }) => sizesText(name, sizes!, samples));
  return [
    {
      severity: 'warning',
      code: 'OUTPUT_SIZES_DIFFER',
      ...asMessage(
        say`outputs whose size depends on the data have another one: ${texts.join('; ')}`,
      ),
      tensor: counted[0]!.name,
      hint: 'their values were compared in the other samples only',
    },
  ];
}

/** '"boxes" in 2 of 8 samples (25 / 20 values)' */
function sizesText(
  name: string,
  { samples, float, quantized }: NonNullable<OutputQuality['sizes']>,
  of: number,
): string {
  return `"${name}" in ${samples} of ${of} samples (${float} / ${quantized} values)`;
}

function poorQuality(
  quality: QualityReport,
  { opTypes }: Pick<ModelSummary, 'opTypes'>,
  explanation: Explanation | null,
): Diagnostic[] {
  const [worst] = quality.outputs
    .filter(isPoor)
    .sort((a, b) => (a.sqnr ?? -Infinity) - (b.sqnr ?? -Infinity));
  if (!worst) return [];
  const random = randomIn(opTypes);
  if (random.length > 0) {
    return [
      {
        severity: 'warning',
        code: 'RANDOM_OUTPUTS',
        ...asMessage(
          say`the model draws random numbers (${random.join(', ')}), so its outputs are others at every run: the comparison cannot tell how good the result is`,
        ),
        tensor: worst.name,
      },
    ];
  }
  const which = quality.outputs.length > 1 ? ` of "${worst.name}"` : '';
  const { top1 } = quality;
  const agreement = top1 ? `, same top class in ${top1.agree} of ${top1.of} samples` : '';
  const place = explanation?.worst ?? null;
  return [
    {
      severity: 'warning',
      code: 'POOR_QUALITY',
      message: whatIsPoor(worst, which) + agreement + (place ? whereItIs(place) : ''),
      ...(place && { node: place.node, tensor: place.cause?.tensor ?? place.tensor }),
      hint: advice(worst, explanation),
    },
  ];
}

function whereItIs({ node, tensor, share, cause }: NonNullable<Explanation['worst']>): string {
  const layer = `"${node || tensor}"`;
  if (!cause) return `; the largest part of it comes from ${layer}, and no cause stands out`;
  const part = `${Math.round(100 * share)} % of it comes from ${layer}`;
  return `; ${part}: "${cause.tensor}": ${cause.text}`;
}

/** Settings that gain less than this are no advice, in dB. */
const leastGain = 3;

/** What was tried and helped, the best first; else what can be done about the cause. */
function advice({ sqnr }: OutputQuality, explanation: Explanation | null): string {
  const debug = 'onnx-ptq debug says where it goes wrong, and why';
  if (!explanation) return debug;
  const { tried, effort, worst } = explanation;
  const helped = tried
    .filter((one) => one.sqnr !== null && one.sqnr > (sqnr ?? -Infinity) + leastGain)
    .sort((a, b) => b.sqnr! - a.sqnr!);
  const repairs = effort === null ? '' : `--effort ${effort} looks for repairs by itself, ${debug}`;
  if (helped.length > 0) {
    const best = helped.filter(({ inFloat }) => !inFloat).slice(0, 2);
    const small = helped.find(({ inFloat }) => inFloat);
    const settings = [...best, ...(small ? [small] : [])].map(settingText);
    return [`tried here: ${settings.join(' or ')}`, repairs].filter(Boolean).join('; ');
  }
  const none = tried
    .filter((one) => one.sqnr !== null)
    .map(({ flags }) => flags)
    .join(', ');
  return [repairs || worst?.cause?.remedy || debug, none && `tried without gain: ${none}`]
    .filter(Boolean)
    .join('; ');
}

function settingText({ flags, sqnr, inFloat }: TriedSetting): string {
  const decibels = `${sqnr!.toFixed(1)} dB`;
  if (!inFloat) return `${flags} (${decibels})`;
  const [time, float] = [inFloat.milliseconds, inFloat.float].map((ms) => ms?.toFixed(2));
  const beside = float ? ` beside ${float} ms of the float model` : '';
  return `${flags} (${decibels}; small, but computed in float: ${time} ms${beside})`;
}

const isPoor = ({ broken, sqnr, different }: OutputQuality) =>
  broken || (sqnr !== null && sqnr < poorDecibels) || (different ?? 0) > mostDifferent;

function whatIsPoor({ broken, sqnr, different }: OutputQuality, which: string): string {
  if (broken) return `the quantized model gives NaN or infinite outputs${which}`;
  const far = 'the quantized model is far from the float model:';
  return sqnr !== null
    ? `${far} output SQNR${which} ${sqnr.toFixed(1)} dB`
    : `${far} ${Math.round(100 * different!)} % of the output${which} differ`;
}

/**
 * One line: "SQNR 31.2 dB (27.9 to 34.0), same top class in 8 of 8 (8 samples through both
 * models)".
 */
export function qualityText(quality: QualityReport, assumed: readonly Assumption[] = []): string {
  if (!quality.loaded) return 'not verified';
  if (quality.samples === 0) return 'loads in onnxruntime; no samples to compare with';
  const { outputs, sqnr, top1 } = quality;
  const parts = [
    sqnrText(outputs, sqnr),
    ...outputs
      .filter(({ sizes }) => sizes)
      .map(({ sizes, name }) => {
        const { samples, float, quantized } = sizes!;
        return `${name} differ in ${samples} of ${quality.samples} samples: ${float} / ${quantized}`;
      }),
    ...outputs
      .filter(({ different }) => (different ?? 0) > 0)
      .map(({ name, different }) => `${(100 * different!).toFixed(1)} % of ${name} differ`),
    top1 ? `same top class in ${top1.agree} of ${top1.of}` : '',
  ].filter(Boolean);
  const samples = `${quality.samples} ${quality.samples === 1 ? 'sample' : 'samples'}`;
  const guess = assumed.includes('normalization')
    ? '; measured on pictures whose normalization is guessed'
    : '';
  return `${parts.join(', ')} (${samples} through the float and the quantized model${guess})`;
}

function sqnrText(outputs: readonly OutputQuality[], sqnr: number | null): string {
  if (outputs.some(({ broken }) => broken)) return 'NaN or infinite outputs';
  if (sqnr === null) {
    const compared = outputs.filter(({ compared }) => compared > 0);
    if (compared.length === 0) return 'not measurable: no output has a value';
    return compared.every(({ exact }) => exact) ? 'outputs are exact' : '';
  }
  const worst = outputs.find((output) => output.sqnr === sqnr)!;
  const which = outputs.length > 1 ? ` of ${worst.name}` : '';
  const [low, high] = worst.spread!;
  const spread = worst.compared > 1 ? ` (${low.toFixed(1)} to ${high.toFixed(1)} by sample)` : '';
  return `SQNR${which} ${sqnr.toFixed(1)} dB${spread}`;
}
