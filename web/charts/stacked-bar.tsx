// A bar of parts to scale, each with its name and amount below: no colour has to be told apart.

export interface Part {
  key: string;
  label: string;
  amount: string;
  value: number;
}

export function StackedBar({ label, parts }: { label: string; parts: readonly Part[] }) {
  const total = parts.reduce((sum, { value }) => sum + value, 0) || 1;
  return (
    <figure class="stacked" aria-label={label}>
      <div class="stack" aria-hidden="true">
        {parts
          .filter(({ value }) => value > 0)
          .map(({ key, value }) => (
            <span key={key} data-part={key} style={{ flexGrow: value / total }} />
          ))}
      </div>
      <ul class="legend">
        {parts.map(({ key, label: name, amount }) => (
          <li key={key} data-part={key}>
            <span class="swatch" aria-hidden="true" />
            {name} <b>{amount}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}
