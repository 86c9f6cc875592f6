import { useText } from '../i18n';

/** Two bars to scale, and the ratio. */
export function SizeBars({ before, after }: { before: number; after: number }) {
  const { t, bytes, number } = useText();
  const largest = Math.max(before, after, 1);
  const rows: [string, number, string][] = [
    [t.result.before, before, 'before'],
    [t.result.after, after, 'after'],
  ];
  return (
    <div class="sizes">
      <p class="ratio">
        {after < before ? t.result.smaller(number(before / after, 1)) : t.result.larger}
      </p>
      <dl>
        {rows.map(([name, size, key]) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              <span class={`bar ${key}`} style={{ width: `${(100 * size) / largest}%` }} />
              <span class="amount">{bytes(size)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
