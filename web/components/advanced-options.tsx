// A field for every further option of the library, made from its table; names and help are the
// library's own.
import { useId } from 'preact/hooks';
import { useText } from '../i18n';
import { type AdvancedField, type AdvancedValues, advancedFields } from '../lib/advanced';
import type { Settings } from '../lib/settings';

interface Props {
  settings: Settings;
  change: (part: Partial<Settings>) => void;
}

export function AdvancedOptions({ settings, change }: Props) {
  const set = (name: string, value: boolean | string | undefined) => {
    const { [name]: _, ...others } = settings.advanced;
    const advanced: AdvancedValues = value === undefined ? others : { ...others, [name]: value };
    change({ advanced });
  };
  return (
    <>
      {advancedFields(settings).map((field) => (
        <Field
          key={field.name}
          field={field}
          value={settings.advanced[field.name]}
          onChange={(value) => set(field.name, value)}
        />
      ))}
    </>
  );
}

function Field(props: {
  field: AdvancedField;
  value: boolean | string | undefined;
  onChange: (value: boolean | string | undefined) => void;
}) {
  const { t } = useText();
  const id = useId();
  const { field, value, onChange } = props;
  const { name, spec } = field;
  const help = (
    <p class="help" id={`${id}-help`} lang="en">
      {spec.help}
    </p>
  );
  const label = (
    <label class="label" for={id}>
      <code>{name}</code>
    </label>
  );
  const described = { id, 'aria-describedby': `${id}-help` };
  if (spec.kind === 'boolean' && spec.default !== null) {
    return (
      <div class="field switch">
        <input
          {...described}
          type="checkbox"
          checked={(value ?? spec.default) === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
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
    <div class="field">
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
