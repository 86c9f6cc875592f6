// Step 4: where the model will run, which fills in how it is quantized; and everything else.
import {
  type ProfileName,
  profileNames,
  profiles,
  type QuantFormat,
  type QuantType,
  quantizeStaticDefaults,
} from 'onnx-ptq';
import { AdvancedOptions } from '../components/advanced-options';
import { Choice, Segments, Switch } from '../components/fields';
import { useText } from '../i18n';
import { defaultSettings, offeredTypes, profileSettings, type Settings } from '../lib/settings';
import type { Quantizer } from '../state';
import { Step, type StepFrame } from './step';

const formats: QuantFormat[] = ['QDQ', 'QOperator'];
const efforts = ['none', 'fast', 'normal'] as const;
const { effort: usualEffort } = quantizeStaticDefaults;
const methods = ['MinMax', 'Entropy', 'Percentile', 'Distribution', 'MSE', 'auto'] as const;
// The page's own default comes first; x64 with VNNI is the same under another name.
const offered: (ProfileName | '')[] = [
  'web-wasm',
  ...profileNames.filter((name) => name !== 'web-wasm' && name !== 'x64-vnni'),
  '',
];

export function TargetStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t, list } = useText();
  const { settings, change, model } = quantizer;
  const { advanced } = settings;
  const isDefault = settings.profile === defaultSettings.profile;
  const line = list([
    t.settings.targets[settings.profile].name,
    settings.quantFormat,
    t.settings.typesLine(settings.activationType, settings.weightType),
    ...(settings.perChannel ? [t.settings.perChannelShort] : []),
    String(advanced.calibrate_method ?? 'MinMax'),
    ...(advanced.effort === 'none' ? [] : [t.settings.effortShort]),
  ]);
  return (
    <Step
      {...frame}
      id="target"
      title={t.settings.title}
      isReady={model?.summary != null}
      isDone={model?.summary != null}
      line={model?.summary ? line : t.settings.later}
    >
      <fieldset class="cards">
        <legend class="label">{t.settings.profile}</legend>
        {offered.map((profile) => (
          <label key={profile} class="choice">
            <input
              type="radio"
              class="hidden"
              name="profile"
              value={profile}
              checked={settings.profile === profile}
              onChange={() => change(profileSettings(profile))}
            />
            <span class="choice-name">{t.settings.targets[profile].name}</span>
            <span class="help">{t.settings.targets[profile].note}</span>
          </label>
        ))}
      </fieldset>
      <div class="pair">
        <Choice
          label={t.settings.method}
          value={String(advanced.calibrate_method ?? 'MinMax')}
          options={methods.map((name) => [name, t.settings.methods[name]])}
          onChange={(method) =>
            change({ advanced: withOption(advanced, 'calibrate_method', method, 'MinMax') })
          }
        />
        <Choice
          label={t.settings.effort}
          value={String(advanced.effort ?? usualEffort)}
          options={efforts.map((level) => [level, t.settings.efforts[level]])}
          help={t.settings.effortHelp}
          onChange={(level) =>
            change({ advanced: withOption(advanced, 'effort', level, usualEffort) })
          }
        />
      </div>
      <details>
        <summary>{t.settings.format}</summary>
        <Types settings={settings} change={change} />
      </details>
      <details>
        <summary>{t.settings.nodes}</summary>
        <Nodes
          settings={settings}
          change={change}
          opTypes={Object.keys(model?.summary?.opTypes ?? {}).sort()}
        />
      </details>
      <details>
        <summary>{t.settings.advanced}</summary>
        <AdvancedOptions settings={settings} change={change} />
      </details>
      <button
        type="button"
        class="button"
        disabled={isDefault && settings === defaultSettings}
        onClick={quantizer.resetSettings}
      >
        {t.settings.reset}
      </button>
      {settings.profile !== '' && profiles[settings.profile].takesFloat === false && (
        <p class="help">{t.settings.takesNoFloat}</p>
      )}
    </Step>
  );
}

/** `usual`: the default, which need not be said. */
function withOption(
  advanced: Settings['advanced'],
  name: string,
  value: string,
  usual: string,
): Settings['advanced'] {
  const { [name]: _, ...others } = advanced;
  return value === usual ? others : { ...others, [name]: value };
}

function Types(props: { settings: Settings; change: (part: Partial<Settings>) => void }) {
  const { t } = useText();
  const { settings, change } = props;
  const types = offeredTypes[settings.quantFormat];
  const typeOptions = (labels: Partial<Record<QuantType, string>>) =>
    types.map((type): [QuantType, string] => [type, labels[type] ?? type]);
  /** Types that the format does not have become the default. */
  function chooseFormat(quantFormat: QuantFormat): void {
    const known = (type: QuantType) => (offeredTypes[quantFormat].includes(type) ? type : 'QUInt8');
    const { activationType, weightType } = settings;
    change({
      quantFormat,
      activationType: known(activationType),
      weightType: known(weightType),
    });
  }
  return (
    <div class="stack-16">
      <Segments
        label={t.settings.formatLabel}
        name="format"
        value={settings.quantFormat}
        options={formats.map((format) => [format, format])}
        help={t.settings.formats[settings.quantFormat]}
        onChange={chooseFormat}
      />
      <div class="pair">
        <Choice
          label={t.settings.activationType}
          value={settings.activationType}
          options={typeOptions(t.settings.types)}
          onChange={(activationType) => change({ activationType })}
        />
        <Choice
          label={t.settings.weightType}
          value={settings.weightType}
          options={typeOptions(t.settings.weightTypes)}
          onChange={(weightType) => change({ weightType })}
        />
        <Switch
          label={t.settings.perChannel}
          help={t.settings.perChannelHelp}
          value={settings.perChannel}
          onChange={(perChannel) => change({ perChannel })}
        />
        <Switch
          label={t.settings.reduceRange}
          help={t.settings.reduceRangeHelp}
          value={settings.reduceRange}
          onChange={(reduceRange) => change({ reduceRange })}
        />
      </div>
    </div>
  );
}

function Nodes(props: {
  settings: Settings;
  change: (part: Partial<Settings>) => void;
  opTypes: string[];
}) {
  const { t } = useText();
  const { settings, change, opTypes } = props;
  const chosen = new Set(settings.opTypesToQuantize);
  return (
    <div class="stack-16">
      <Switch
        label={t.settings.optimizeModel}
        help={t.settings.optimizeModelHelp}
        value={settings.optimizeModel}
        onChange={(optimizeModel) => change({ optimizeModel })}
      />
      <label class="field">
        <span class="label">{t.settings.nodesToExclude}</span>
        <textarea
          rows={3}
          spellcheck={false}
          value={settings.nodesToExclude}
          onInput={(event) => change({ nodesToExclude: event.currentTarget.value })}
        />
        <span class="help">{t.settings.nodesToExcludeHelp}</span>
      </label>
      {opTypes.length > 0 && (
        <fieldset class="field">
          <legend class="label">{t.settings.opTypes}</legend>
          <div class="ticks">
            {opTypes.map((opType) => (
              <label key={opType}>
                <input
                  type="checkbox"
                  checked={chosen.has(opType)}
                  onChange={() => {
                    if (!chosen.delete(opType)) chosen.add(opType);
                    change({ opTypesToQuantize: [...chosen].sort() });
                  }}
                />
                {opType}
              </label>
            ))}
          </div>
          <span class="help">{t.settings.opTypesHelp}</span>
        </fieldset>
      )}
    </div>
  );
}
