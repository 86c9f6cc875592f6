// Form fields with their labels and one line of help.
import { useId } from 'preact/hooks';

interface FieldProps<Value> {
  label: string;
  value: Value;
  help?: string;
  onChange: (value: Value) => void;
}

interface OptionProps<Value extends string> extends FieldProps<Value> {
  /** Value and label. */
  options: readonly (readonly [Value, string])[];
}

/** One of a few, all of them in sight. */
export function Segments<Value extends string>(props: OptionProps<Value> & { name: string }) {
  return (
    <fieldset class="field">
      <legend class="label">{props.label}</legend>
      <div class="segments">
        {props.options.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              class="hidden"
              name={props.name}
              value={value}
              checked={value === props.value}
              onChange={() => props.onChange(value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      {props.help && <p class="help">{props.help}</p>}
    </fieldset>
  );
}

export function Choice<Value extends string>(props: OptionProps<Value>) {
  const id = useId();
  return (
    <div class="field">
      <label class="label" for={id}>
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value as Value)}
      >
        {props.options.map(([value, label]) => (
          <option key={value} value={value} selected={value === props.value}>
            {label}
          </option>
        ))}
      </select>
      {props.help && <p class="help">{props.help}</p>}
    </div>
  );
}

export function Switch(props: FieldProps<boolean>) {
  const id = useId();
  return (
    <div class="field switch">
      <input
        id={id}
        type="checkbox"
        checked={props.value}
        aria-describedby={props.help ? `${id}-help` : undefined}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <div>
        <label class="label" for={id}>
          {props.label}
        </label>
        {props.help && (
          <p class="help" id={`${id}-help`}>
            {props.help}
          </p>
        )}
      </div>
    </div>
  );
}
