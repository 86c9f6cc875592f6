// Step 2: the samples. Most calibrate, some pictures are held out to compare with; a click leaves
// one out.
import { useEffect, useState } from 'preact/hooks';
import { FileButton } from '../components/file-button';
import { Notice } from '../components/notice';
import { Said } from '../components/said';
import { useText } from '../i18n';
import { acceptedSamples, countOthers, isImage } from '../lib/files';
import type { Quantizer } from '../state';
import type { Problem } from '../worker/page-protocol';
import { Step, type StepFrame } from './step';

const shownAtFirst = 24;
const enough = 100;
const start = 32;

export function DataStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t, number } = useText();
  const { samples, split, add, model, bad, fit, ranges } = quantizer;
  const has = samples.length > 0;
  const kinds = useKinds(samples);
  const line = has
    ? [
        kinds,
        split.held.length > 0
          ? t.samples.splitLine(
              number(split.used.length - split.held.length),
              number(split.held.length),
            )
          : '',
        bad.size > 0 ? t.samples.badLine(bad.size) : '',
      ]
        .filter(Boolean)
        .join(' · ')
    : ranges
      ? t.samples.rangesUsed(ranges.name)
      : t.samples.help;
  return (
    <Step
      {...frame}
      id="data"
      title={t.samples.title}
      isReady={model?.summary != null || has}
      isDone={has || ranges !== null}
      line={fit ? <span class="bad">{t.samples.doNotFit}</span> : line}
    >
      <div class="drop">
        <p>{has ? t.drop.moreSamples : t.drop.samples}</p>
        <div class="buttons">
          <FileButton
            label={has ? t.drop.addFiles : t.drop.chooseFiles}
            primary={!has}
            accept={acceptedSamples}
            onFiles={add}
            multiple
          />
          <FileButton label={has ? t.drop.addFolder : t.drop.chooseFolder} onFiles={add} folder />
          {has && (
            <button type="button" class="button" onClick={quantizer.clearSamples}>
              {t.samples.clear}
            </button>
          )}
        </div>
      </div>
      {fit && (
        <Notice
          kind="warning"
          title={t.samples.doNotFit}
          message={<Said message={fit.message} parts={fit.messageText} />}
        >
          <p>{t.samples.doNotFitHint}</p>
        </Notice>
      )}
      {ranges && (
        <Notice kind="info" title={t.samples.rangesUsed(ranges.name)}>
          <button type="button" class="button" onClick={quantizer.dropRanges}>
            {t.samples.calibrateInstead}
          </button>
        </Notice>
      )}
      {bad.size > 0 && <Bad bad={bad} />}
      {has && <Chosen quantizer={quantizer} kinds={kinds} />}
    </Step>
  );
}

function useKinds(samples: readonly File[]): string {
  const { t } = useText();
  const images = samples.filter(isImage).length;
  return [
    images > 0 ? t.samples.images(images) : '',
    ...countOthers(samples).map(([extension, count]) => t.samples.files(count, extension)),
  ]
    .filter(Boolean)
    .join(' + ');
}

function Bad({ bad }: { bad: ReadonlyMap<string, Problem> }) {
  const { t } = useText();
  return (
    <Notice kind="warning" title={t.samples.bad(bad.size)}>
      <ul class="reasons">
        {[...bad].slice(0, 5).map(([name, why]) => (
          <li key={name}>
            <b>{name}</b> <Said message={why.message} parts={why.messageText} />
          </li>
        ))}
        {bad.size > 5 && <li>+{bad.size - 5}</li>}
      </ul>
    </Notice>
  );
}

function Chosen({ quantizer, kinds }: { quantizer: Quantizer; kinds: string }) {
  const { t, number } = useText();
  const { samples, split, limit, held } = quantizer;
  const images = samples.filter(isImage);
  const areImages = images.length === samples.length;
  return (
    <div class="stack-16">
      <p class="file">
        <strong>{kinds}</strong>{' '}
        {areImages && (
          <span class="meter-text">
            {samples.length >= enough
              ? t.samples.plenty
              : samples.length >= start
                ? t.samples.fair
                : t.samples.few}
          </span>
        )}
      </p>
      {images.length > 0 && <Thumbnails images={images} quantizer={quantizer} />}
      <div class="pair">
        <Count
          label={t.samples.limit}
          help={t.samples.limitHelp}
          value={limit}
          placeholder={areImages ? number(samples.length) : ''}
          least={1}
          onChange={quantizer.setLimit}
        />
        {(samples.length > 1 || !areImages) && (
          <Count
            label={t.samples.held}
            help={t.samples.heldHelp}
            value={held}
            placeholder={number(areImages ? split.held.length : split.holdOut)}
            least={0}
            onChange={quantizer.setHeld}
          />
        )}
      </div>
    </div>
  );
}

function Count(props: {
  label: string;
  help: string;
  value: number | null;
  placeholder: string;
  least: number;
  onChange: (value: number | null) => void;
}) {
  return (
    <label class="field">
      <span class="label">{props.label}</span>
      <input
        type="number"
        min={props.least}
        placeholder={props.placeholder}
        value={props.value ?? ''}
        onInput={(event) => {
          const value = event.currentTarget.valueAsNumber;
          props.onChange(value >= props.least ? Math.floor(value) : null);
        }}
      />
      <span class="help">{props.help}</span>
    </label>
  );
}

function Thumbnails({ images, quantizer }: { images: File[]; quantizer: Quantizer }) {
  const { t } = useText();
  const [all, setAll] = useState(false);
  const shown = all ? images : images.slice(0, shownAtFirst);
  const { leftOut, bad, split, toggleSample } = quantizer;
  const heldOut = new Set(split.held);
  return (
    <div>
      <p class="help">{t.samples.clickToLeaveOut}</p>
      <ul class="thumbnails" aria-label={t.samples.thumbnails}>
        {shown.map((image) => {
          const isOut = leftOut.has(image.name) || bad.has(image.name);
          const state = isOut ? 'out' : heldOut.has(image) ? 'held' : 'calibrate';
          return (
            <li key={image.name}>
              <button
                type="button"
                data-state={state}
                aria-pressed={!isOut}
                aria-label={`${image.name}: ${t.samples.states[state]}`}
                disabled={bad.has(image.name)}
                onClick={() => toggleSample(image.name)}
              >
                <Thumbnail image={image} />
                {state !== 'calibrate' && <span class="tag">{t.samples.states[state]}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      {images.length > shownAtFirst && !all && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          {t.samples.showAll(images.length)}
        </button>
      )}
    </div>
  );
}

export function Thumbnail({ image }: { image: File }) {
  const [url, setUrl] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(image);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [image]);
  return url ? <img src={url} alt="" loading="lazy" /> : null;
}
