// What happens to an image before the model sees it: chosen, and said in full for this model.
import {
  guessPreprocess,
  type ModelSummary,
  type PreprocessFinding,
  type PreprocessSpec,
  QuantizeError,
} from 'onnx-ptq';
import { type Dictionary, useText } from '../i18n';
import { mayHaveImages } from '../lib/files';
import { offeredPresets, preprocessOption } from '../lib/settings';
import type { Quantizer } from '../state';
import { Choice } from './fields';

export function PreprocessField({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { settings, change, samples } = quantizer;
  const options = (['auto', ...offeredPresets, 'custom'] as const).map(
    (name) => [name as string, t.settings.presets[name]] as const,
  );
  const noImages = samples.length > 0 && !mayHaveImages(samples);
  return (
    <div class="field">
      <Choice
        label={t.settings.preprocess}
        value={settings.preprocess}
        options={options}
        onChange={(preprocess) => change({ preprocess })}
      />
      {settings.preprocess === 'custom' && (
        <label class="field">
          <span class="label">{t.settings.customPreprocess}</span>
          <input
            type="text"
            spellcheck={false}
            value={settings.customPreprocess}
            onInput={(event) => change({ customPreprocess: event.currentTarget.value })}
          />
          <span class="help">{t.settings.customPreprocessHelp}</span>
        </label>
      )}
      {noImages ? (
        <p class="help">{t.settings.preprocessUnused}</p>
      ) : (
        <Statement quantizer={quantizer} />
      )}
    </div>
  );
}

function Statement({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const summary = quantizer.model?.summary;
  if (!summary) return null;
  const option = preprocessOption(quantizer.settings);
  const { finding, isLooking } = option === undefined ? quantizer.preprocess : notOpen;
  try {
    const { spec } = guessPreprocess(summary, finding?.chosen.option ?? option);
    const title = isLooking
      ? t.settings.looking
      : finding?.decided.normalization
        ? t.settings.found
        : option === undefined
          ? t.settings.guessed
          : t.settings.applied;
    return (
      <>
        <p class="statement" role="status">
          <b>{title}</b> {describe(spec, t)}
        </p>
        {finding && <Evidence finding={finding} quantizer={quantizer} summary={summary} />}
      </>
    );
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    return (
      <p class="statement bad" role="status" lang="en">
        {error.message}
        {error.hint ? ` (${error.hint})` : ''}
      </p>
    );
  }
}

const notOpen = { finding: null, isLooking: false };

/** Why this one, and the next best with a way to take it. */
function Evidence(props: {
  finding: PreprocessFinding;
  quantizer: Quantizer;
  summary: ModelSummary;
}) {
  const { t, language } = useText();
  const { reasons, runnerUp, plausible } = props.finding;
  const number = (value: number) =>
    new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(value);
  const { spec } = guessPreprocess(props.summary, runnerUp.option);
  const isOffered = (offeredPresets as readonly string[]).includes(runnerUp.option);
  const take = () =>
    props.quantizer.change(
      isOffered
        ? { preprocess: runnerUp.option }
        : { preprocess: 'custom', customPreprocess: runnerUp.option },
    );
  return (
    <div class="evidence">
      <ul class="help">
        {reasons.map(({ by, value, other }) => (
          <li key={by}>{t.settings.evidence[by](number(value), other && number(other.value))}</li>
        ))}
        {reasons.length === 0 && <li>{t.settings.noEvidence}</li>}
        {plausible.length > 1 && <li>{t.settings.turns(plausible.length)}</li>}
      </ul>
      <p class="help">
        {t.settings.runnerUp} {spec.order}, {normalization(spec)}{' '}
        <button type="button" class="button quiet" onClick={take}>
          {t.settings.takeRunnerUp}
        </button>
      </p>
    </div>
  );
}

/** "224 × 224, shorter side to 256, then centre crop; RGB, NCHW; (x − 127.5) / 127.5" */
function describe(spec: PreprocessSpec, t: Dictionary): string {
  const side = Math.min(spec.width, spec.height);
  const fit = {
    none: t.spec.none,
    stretch: t.spec.stretch,
    center: t.spec.center(spec.resizeShorter ?? Math.round((side * 256) / 224)),
    letterbox: t.spec.letterbox(spec.pad),
  }[spec.mode];
  const order = spec.order === 'Y' ? t.spec.luma : spec.order;
  return [
    `${t.spec.size(spec.width, spec.height)} (${fit})`,
    order,
    spec.layout,
    normalization(spec),
  ].join(', ');
}

function normalization({ mean, std, scale = 1, order }: PreprocessSpec): string {
  const show = (values: readonly number[]) => {
    const used = order === 'Y' ? values.slice(0, 1) : values;
    return used.every((value) => value === used[0]) ? `${used[0]}` : `[${used.join(', ')}]`;
  };
  const scaled = scale === 1 ? 'x' : `x × ${+scale.toPrecision(6)}`;
  const shifted = show(mean) === '0' ? scaled : `${scaled} − ${show(mean)}`;
  if (show(std) === '1') return shifted;
  return shifted === 'x' ? `x / ${show(std)}` : `(${shifted}) / ${show(std)}`;
}
