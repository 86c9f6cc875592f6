// Fields for what happens to a picture; changing one makes the preprocessing one's own.
import {
  guessPreprocess,
  type ModelSummary,
  type PartialPreprocess,
  type PreprocessSpec,
} from 'onnx-ptq';
import { useState } from 'preact/hooks';
import { useText } from '../i18n';
import { customOf, numbersText, parseNumbers } from '../lib/preprocess-fields';
import { offeredPresets, preprocessOption } from '../lib/settings';
import type { Quantizer } from '../state';
import { Choice } from './fields';

export function PreprocessFields(props: { quantizer: Quantizer; summary: ModelSummary }) {
  const { t } = useText();
  const { settings, change, preprocess } = props.quantizer;
  const option = preprocessOption(settings) ?? preprocess.finding?.chosen.option;
  const spec = resolve(props.summary, option);
  const set = (part: PartialPreprocess) =>
    change({ preprocess: 'custom', customPreprocess: { ...(spec && customOf(spec)), ...part } });
  return (
    <div class="stack-16">
      <Choice
        label={t.preprocess.preset}
        value={settings.preprocess}
        options={[
          ['auto', t.preprocess.auto],
          ...offeredPresets.map((name) => [name as string, t.preprocess.presets[name]] as const),
          ['custom', t.preprocess.custom],
        ]}
        onChange={(value) =>
          value === 'custom' && spec
            ? change({ preprocess: 'custom', customPreprocess: customOf(spec) })
            : change({ preprocess: value })
        }
      />
      {spec && (
        <div class="pair">
          <Numbers
            label={t.preprocess.mean}
            values={spec.mean}
            onChange={(mean) => set({ mean })}
          />
          <Numbers
            label={t.preprocess.std}
            values={spec.std}
            isValid={(values) => !values.includes(0)}
            onChange={(std) => set({ std })}
          />
          <Choice
            label={t.preprocess.order}
            value={spec.order}
            options={(['RGB', 'BGR', 'Y', 'RGBA'] as const).map((order) => [
              order,
              order === 'Y' ? t.spec.luma : order,
            ])}
            onChange={(order) => set({ order })}
          />
          <Choice
            label={t.preprocess.fit}
            value={spec.mode}
            options={(['stretch', 'center', 'letterbox', 'none'] as const).map((mode) => [
              mode,
              t.preprocess.fits[mode],
            ])}
            onChange={(mode) => set({ mode })}
          />
          <Side
            label={t.preprocess.width}
            value={spec.width}
            onChange={(width) => set({ width })}
          />
          <Side
            label={t.preprocess.height}
            value={spec.height}
            onChange={(height) => set({ height })}
          />
          {spec.mode === 'center' && (
            <Side
              label={t.preprocess.shorter}
              value={
                spec.resizeShorter ?? Math.round((Math.min(spec.width, spec.height) * 256) / 224)
              }
              onChange={(resizeShorter) => set({ resizeShorter })}
            />
          )}
          {spec.mode === 'letterbox' && (
            <Side label={t.preprocess.pad} value={spec.pad} onChange={(pad) => set({ pad })} />
          )}
        </div>
      )}
    </div>
  );
}

function resolve(summary: ModelSummary, option: string | PartialPreprocess | undefined) {
  try {
    return guessPreprocess(summary, option).spec;
  } catch {
    // An own size that does not fit, say: the fields show it all the same, the line says why not.
    return typeof option === 'object' && option.mean ? (option as PreprocessSpec) : null;
  }
}

function Numbers(props: {
  label: string;
  values: readonly number[];
  isValid?: (values: number[]) => boolean;
  onChange: (values: [number, number, number]) => void;
}) {
  const { t } = useText();
  const [text, setText] = useState<string | null>(null);
  const values = text === null ? null : parseNumbers(text);
  const isWrong = text !== null && (!values || props.isValid?.(values) === false);
  return (
    <label class="field">
      <span class="label">{props.label}</span>
      <input
        type="text"
        inputMode="decimal"
        spellcheck={false}
        aria-invalid={isWrong}
        value={text ?? numbersText(props.values)}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          const next = parseNumbers(currentTarget.value);
          if (next && props.isValid?.(next) !== false) props.onChange(next);
        }}
        onBlur={() => setText(null)}
      />
      <span class={isWrong ? 'help bad' : 'help'}>{t.preprocess.oneOrThree}</span>
    </label>
  );
}

function Side(props: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <label class="field">
      <span class="label">{props.label}</span>
      <input
        type="number"
        min={0}
        value={props.value}
        onInput={({ currentTarget }) => {
          const value = currentTarget.valueAsNumber;
          if (value >= 0) props.onChange(Math.floor(value));
        }}
      />
    </label>
  );
}
