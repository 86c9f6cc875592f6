// Format, types, preprocessing; nodes, operator types and all other options behind disclosures.
import {
  type ProfileName,
  profileNames,
  profiles,
  type QuantFormat,
  type QuantType,
} from 'onnx-ptq';
import { useId } from 'preact/hooks';
import { useText } from '../i18n';
import { offeredTypes, profileSettings, type Settings } from '../lib/settings';
import type { Quantizer } from '../state';
import { AdvancedOptions } from './advanced-options';
import { Card } from './card';
import { Choice, Segments, Switch } from './fields';
import { PreprocessField } from './preprocess-field';

const formats: QuantFormat[] = ['QOperator', 'QDQ'];

export function SettingsCard({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { settings, change } = quantizer;
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
    <Card
      id="settings"
      title={t.settings.title}
      aside={
        <button type="button" class="button quiet" onClick={quantizer.resetSettings}>
          {t.settings.reset}
        </button>
      }
    >
      <ProfileField settings={settings} change={change} />
      <Segments
        label={t.settings.format}
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
        <summary>{t.settings.nodes}</summary>
        <Nodes
          settings={settings}
          change={change}
          opTypes={Object.keys(quantizer.model?.summary?.opTypes ?? {}).sort()}
        />
      </details>
      <details class="more">
        <summary>{t.settings.advanced}</summary>
        <p class="help">{t.settings.advancedHelp}</p>
        <AdvancedOptions settings={settings} change={change} />
      </details>
    </Card>
  );
}

/** Fills in the other fields; what the profile is for is the library's own text. */
function ProfileField(props: { settings: Settings; change: (part: Partial<Settings>) => void }) {
  const { t } = useText();
  const id = useId();
  const { profile } = props.settings;
  return (
    <div class="field">
      <label class="label" for={id}>
        {t.settings.profile}
      </label>
      <select
        id={id}
        value={profile}
        aria-describedby={`${id}-help`}
        onChange={({ currentTarget }) =>
          props.change(profileSettings(currentTarget.value as ProfileName | ''))
        }
      >
        <option value="">{t.settings.noProfile}</option>
        {profileNames.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      {profile === '' ? (
        <p class="help" id={`${id}-help`}>
          {t.settings.profileHelp}
        </p>
      ) : (
        <p class="help" id={`${id}-help`} lang="en">
          {profiles[profile].target}. {profiles[profile].note}
        </p>
      )}
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
