// A field for every further option of the library, made from its table, in groups, with a search;
// names are the library's own, and so is the help where the page has none of its own.
import { useId, useState } from 'preact/hooks';
import { useText } from '../i18n';
import { type AdvancedField, type AdvancedValues, advancedFields } from '../lib/advanced';
import { advancedGroups, groupOf } from '../lib/advanced-groups';
import type { Settings } from '../lib/settings';

/** Fields of their own in steps 2 and 4. */
const ownFields = ['calibrate_method', 'effort', 'hold_out'];

interface Props {
  settings: Settings;
  change: (part: Partial<Settings>) => void;
}

export function AdvancedOptions({ settings, change }: Props) {
  const { t, optionHelp } = useText();
  const [search, setSearch] = useState('');
  const set = (name: string, value: boolean | string | undefined) => {
    const { [name]: _, ...others } = settings.advanced;
    const advanced: AdvancedValues =
      value === undefined || value === '' ? others : { ...others, [name]: value };
    change({ advanced });
  };
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fields = advancedFields(settings).filter((field) => {
    if (ownFields.includes(field.name)) return false;
    const text = `${field.name} ${field.spec.help} ${optionHelp(field.name) ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const changed = Object.keys(settings.advanced).filter((name) => !ownFields.includes(name)).length;
  return (
    <div class="stack-16">
      <div class="search">
        <label class="field">
          <span class="label">{t.settings.search}</span>
          <input
            type="search"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
        <p class="help" role="status">
          {t.settings.changed(changed)}
        </p>
        <button
          type="button"
          class="button"
          disabled={changed === 0}
          onClick={() => change({ advanced: only(settings.advanced, ownFields) })}
        >
          {t.settings.resetAdvanced}
        </button>
      </div>
      {advancedGroups.map((group) => {
        const own = fields.filter((field) => groupOf(field) === group);
        return own.length === 0 ? null : (
          <fieldset key={group} class="group">
            <legend>{t.settings.groups[group]}</legend>
            {own.map((field) => (
              <Field
                key={field.name}
                field={field}
                value={settings.advanced[field.name]}
                onChange={(value) => set(field.name, value)}
              />
            ))}
          </fieldset>
        );
      })}
      {fields.length === 0 && <p class="help">{t.settings.noneFound}</p>}
    </div>
  );
}

function Field(props: {
  field: AdvancedField;
  value: boolean | string | undefined;
  onChange: (value: boolean | string | undefined) => void;
}) {
  const { t, optionHelp } = useText();
  const id = useId();
  const { field, value, onChange } = props;
  const { name, spec } = field;
  const own = optionHelp(name);
  const help = (
    <p class="help" id={`${id}-help`} lang={own ? undefined : 'en'}>
      {own ?? spec.help}
    </p>
  );
  const isChanged = value !== undefined;
  const label = (
    <span class="label-line">
      <label class="label" for={id}>
        <code>{name}</code>
      </label>
      {isChanged && (
        <button
          type="button"
          class="changed"
          aria-label={`${t.settings.resetOne}: ${name}`}
          onClick={() => onChange(undefined)}
        >
          {t.settings.resetOne}
        </button>
      )}
    </span>
  );
  const described = { id, 'aria-describedby': `${id}-help` };
  if (spec.kind === 'boolean' && spec.default !== null) {
    return (
      <div class="field switch" data-changed={isChanged}>
        <input
          {...described}
          type="checkbox"
          checked={(value ?? spec.default) === true}
          onChange={({ currentTarget: { checked } }) =>
            onChange(checked === spec.default ? undefined : checked)
          }
        />
        <div>
          {label}
          {help}
        </div>
      </div>
    );
  }
  const text = typeof value === 'string' ? value : '';
  return (
    <div class="field" data-changed={isChanged}>
      {label}
      {spec.kind === 'boolean' ? (
        <select
          {...described}
          value={value === undefined ? '' : String(value)}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : currentTarget.value === 'true')
          }
        >
          <option value="">{t.settings.automatic}</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : spec.kind === 'enum' ? (
        <select
          {...described}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value || undefined)}
        >
          <option value="">{String(spec.default)}</option>
          {spec.values
            ?.filter((item) => item !== spec.default)
            .map((item) => (
              <option key={item} value={item}>
                {item}
              </option>
            ))}
        </select>
      ) : spec.kind === 'number' || spec.kind === 'integer' ? (
        <input
          {...described}
          type="number"
          min={spec.min}
          step={spec.kind === 'integer' ? 1 : 'any'}
          placeholder={spec.default === null ? '' : String(spec.default)}
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <textarea
          {...described}
          rows={2}
          spellcheck={false}
          placeholder={spec.kind === 'strings' ? t.settings.oneALine : t.settings.asJson}
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {help}
    </div>
  );
}

const only = (values: AdvancedValues, names: readonly string[]): AdvancedValues =>
  Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
