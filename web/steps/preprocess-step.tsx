// Step 3: what the model sees of a picture, under each way that may be meant; one is chosen.
import { guessPreprocess, type ModelSummary, type PreprocessSpec, QuantizeError } from 'onnx-ptq';
import { useState } from 'preact/hooks';
import { Histogram } from '../charts/histogram';
import { Pixels } from '../components/pixels';
import { PreprocessFields } from '../components/preprocess-fields';
import { Said } from '../components/said';
import { type Dictionary, useText } from '../i18n';
import { isImage, mayHaveImages } from '../lib/files';
import { type OfferedPreset, offeredPresets, preprocessOption } from '../lib/settings';
import { useViews } from '../lib/use-views';
import type { Quantizer } from '../state';
import type { PreprocessOption, Problem, TensorView, TensorViews } from '../worker/page-protocol';
import { Thumbnail } from './data-step';
import { Step, type StepFrame } from './step';

export function PreprocessStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t } = useText();
  const { model, samples } = quantizer;
  const forImages = mayHaveImages(samples);
  const isReady = model?.summary != null && samples.length > 0 && !quantizer.fit;
  const chosen = isReady && forImages ? resolve(quantizer) : null;
  return (
    <Step
      {...frame}
      id="preprocess"
      title={t.preprocess.title}
      isReady={isReady && forImages}
      isDone={isReady && (!forImages || chosen?.spec !== undefined)}
      line={
        !isReady ? (
          quantizer.fit ? (
            t.samples.doNotFit
          ) : (
            t.preprocess.later
          )
        ) : !forImages ? (
          t.preprocess.unused
        ) : chosen?.spec ? (
          t.preprocess.named(chosen.title, describe(chosen.spec, t))
        ) : (
          <span class="bad">
            {chosen?.problem && (
              <Said message={chosen.problem.message} parts={chosen.problem.messageText} />
            )}
          </span>
        )
      }
    >
      {model?.summary && <Body quantizer={quantizer} summary={model.summary} />}
    </Step>
  );
}

interface Resolved {
  title: string;
  spec?: PreprocessSpec;
  problem?: Problem;
}

function useTitles() {
  const { t } = useText();
  return (quantizer: Quantizer): string => {
    const { preprocess, settings } = quantizer;
    if (settings.preprocess !== 'auto') {
      return settings.preprocess === 'custom'
        ? t.preprocess.custom
        : t.preprocess.presets[settings.preprocess as OfferedPreset];
    }
    if (preprocess.isLooking) return t.preprocess.looking;
    return preprocess.finding?.decided.normalization ? t.preprocess.found : t.preprocess.guessed;
  };
}

/** What is done now, or why it cannot be. */
function resolve(quantizer: Quantizer): Resolved {
  const title = useTitles()(quantizer);
  const { model, settings, preprocess } = quantizer;
  const option = preprocessOption(settings) ?? preprocess.finding?.chosen.option;
  try {
    return { title, spec: guessPreprocess(model!.summary!, option).spec };
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    return { title, problem: error };
  }
}

interface Candidate {
  /** As settings.preprocess. */
  value: string;
  title: string;
  option: PreprocessOption;
  isBest: boolean;
}

function Body({ quantizer, summary }: { quantizer: Quantizer; summary: ModelSummary }) {
  const { t } = useText();
  const { settings, change, samples, engine, preprocess } = quantizer;
  const images = samples.filter(isImage);
  const [index, setIndex] = useState(0);
  const picture = images[Math.min(index, images.length - 1)] ?? null;
  const candidates = useCandidates(quantizer);
  const views = useViews(
    engine.status === 'ready' ? engine.engine : null,
    summary,
    picture,
    candidates.map(({ option }) => option),
  );
  const { finding, isLooking } = preprocess;
  return (
    <div class="stack-16">
      <p class="lead" role="status">
        {isLooking ? t.preprocess.looking : t.preprocess.lead}
      </p>
      {finding && settings.preprocess === 'auto' && <Evidence quantizer={quantizer} />}
      {images.length > 1 && (
        <div class="buttons">
          <button
            type="button"
            class="button"
            onClick={() => setIndex((index + images.length - 1) % images.length)}
          >
            {t.preprocess.previous}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => setIndex((index + 1) % images.length)}
          >
            {t.preprocess.next}
          </button>
          <span class="help">{picture?.name}</span>
        </div>
      )}
      <fieldset class="tiles">
        <legend class="hidden">{t.preprocess.title}</legend>
        {candidates.map((candidate, i) => (
          <label key={candidate.value} class="tile">
            <input
              type="radio"
              class="hidden"
              name="preprocess"
              value={candidate.value}
              checked={settings.preprocess === candidate.value}
              onChange={() => change({ preprocess: candidate.value })}
            />
            <span class="tile-title">{candidate.title}</span>
            <Tile view={views?.[i]} picture={picture} />
          </label>
        ))}
      </fieldset>
      <details>
        <summary>{t.preprocess.more}</summary>
        <PreprocessFields quantizer={quantizer} summary={summary} />
      </details>
    </div>
  );
}

/** The found one, the next best, the chosen one; and common ones up to four. */
function useCandidates({ preprocess, settings }: Quantizer): Candidate[] {
  const { t } = useText();
  const { finding } = preprocess;
  const title = (value: string) => t.preprocess.presets[value as OfferedPreset] ?? value;
  const list: Candidate[] = [
    {
      value: 'auto',
      title: finding
        ? t.preprocess.named(
            finding.decided.normalization ? t.preprocess.found : t.preprocess.guessed,
            title(finding.chosen.option),
          )
        : t.preprocess.guessed,
      option: finding?.chosen.option,
      isBest: true,
    },
  ];
  const add = (value: string, option: PreprocessOption, name: string) => {
    if (list.some((one) => one.value === value || (option && one.option === option))) return;
    list.push({ value, title: name, option, isBest: false });
  };
  if (settings.preprocess === 'custom') {
    add('custom', settings.customPreprocess, t.preprocess.custom);
  } else if (settings.preprocess !== 'auto') {
    add(settings.preprocess, settings.preprocess, title(settings.preprocess));
  }
  const common = [finding?.runnerUp.option, 'imagenet', 'zero-to-one', 'zero-to-255'];
  for (const preset of common) {
    if (list.length < 4 && (offeredPresets as readonly unknown[]).includes(preset)) {
      add(preset!, preset, title(preset!));
    }
  }
  return list;
}

function Tile({ view, picture }: { view: TensorViews[number] | undefined; picture: File | null }) {
  const { t } = useText();
  if (!view) return <span class="tile-empty">{picture ? t.preprocess.making : ''}</span>;
  if ('problem' in view) {
    return (
      <span class="help bad">
        <Said message={view.problem.message} parts={view.problem.messageText} />
      </span>
    );
  }
  return (
    <>
      <span class="pictures">
        {picture && <Thumbnail image={picture} />}
        <svg class="arrow" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M3 8h9M9 5l3 3-3 3" />
        </svg>
        <Pixels {...view} label={t.preprocess.asTensor} />
      </span>
      <Values view={view} />
    </>
  );
}

function Values({ view }: { view: TensorView }) {
  const { t, number } = useText();
  const format = (value: number) => number(value, Math.abs(value) < 10 ? 2 : 1);
  const names = view.channels.length >= 3 ? ['first', 'second', 'third', 'fourth'] : ['only'];
  const mean = view.channels.reduce((sum, channel) => sum + channel.mean, 0) / view.channels.length;
  return (
    <>
      <Histogram
        label={t.preprocess.histogram}
        curves={view.channels.map(({ histogram }, i) => ({ key: names[i]!, counts: histogram }))}
        lowest={view.lowest}
        highest={view.highest}
        format={format}
        log
      />
      <span class="help">
        {t.preprocess.range(format(view.lowest), format(view.highest), format(mean))}
      </span>
    </>
  );
}

/** Why this one, and how sure it is. */
function Evidence({ quantizer }: { quantizer: Quantizer }) {
  const { t, language } = useText();
  const finding = quantizer.preprocess.finding!;
  const number = (value: number) =>
    new Intl.NumberFormat(language, { maximumSignificantDigits: 2 })
      .format(value)
      .replace('-', '−');
  return (
    <ul class="evidence">
      {finding.reasons.map(({ by, value, other }) => (
        <li key={by}>{t.preprocess.evidence[by](number(value), other && number(other.value))}</li>
      ))}
      {finding.reasons.length === 0 && <li>{t.preprocess.noEvidence}</li>}
      {finding.plausible.length > 1 && <li>{t.preprocess.turns(finding.plausible.length)}</li>}
    </ul>
  );
}

/** "224 × 224, shorter side to 256, then centre crop; RGB, NCHW; (x − 127.5) / 127.5" */
export function describe(spec: PreprocessSpec, t: Dictionary): string {
  const side = Math.min(spec.width, spec.height);
  const fit = {
    none: t.spec.none,
    stretch: t.spec.stretch,
    center: t.spec.center(spec.resizeShorter ?? Math.round((side * 256) / 224)),
    letterbox: t.spec.letterbox(spec.pad),
  }[spec.mode];
  const order = spec.order === 'Y' ? t.spec.luma : spec.order;
  return t.spec.line(t.spec.size(spec.width, spec.height), fit, order, normalization(spec));
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
