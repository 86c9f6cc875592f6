// Format, types, preprocessing; nodes and operator types behind a disclosure.
import type { QuantFormat, QuantType } from 'onnx-ptq';
import { useText } from '../i18n';
import type { Settings } from '../lib/settings';
import type { Quantizer } from '../state';
import { Card } from './card';
import { Choice, Segments, Switch } from './fields';
import { PreprocessField } from './preprocess-field';

const formats: QuantFormat[] = ['QOperator', 'QDQ'];
const types: ('QUInt8' | 'QInt8')[] = ['QUInt8', 'QInt8'];

export function SettingsCard({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { settings, change } = quantizer;
  const typeOptions = (labels: Record<'QUInt8' | 'QInt8', string>) =>
    types.map((type): [QuantType, string] => [type, labels[type]]);
  return (
    <Card
      id="settings"
      title={t.settings.title}
      aside={
        <button type="button" class="button quiet" onClick={quantizer.resetSettings}>
          {t.settings.reset}
        </button>
      }
    >
      <Segments
        label={t.settings.format}
        name="format"
        value={settings.quantFormat}
        options={formats.map((format) => [format, format])}
        help={t.settings.formats[settings.quantFormat]}
        onChange={(quantFormat) => change({ quantFormat })}
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
      </div>
      <div class="pair">
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
      <PreprocessField quantizer={quantizer} />
      <details class="more">
        <summary>{t.settings.advanced}</summary>
        <Advanced
          settings={settings}
          change={change}
          opTypes={Object.keys(quantizer.model?.summary?.opTypes ?? {}).sort()}
        />
      </details>
    </Card>
  );
}

function Advanced(props: {
  settings: Settings;
  change: (part: Partial<Settings>) => void;
  opTypes: string[];
}) {
  const { t } = useText();
  const { settings, change, opTypes } = props;
  const chosen = new Set(settings.opTypesToQuantize);
  return (
    <>
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
    </>
  );
}
