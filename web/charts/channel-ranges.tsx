// The range of every channel side by side, as dots at both ends: channels that one scale serves
// badly are seen at once. The caller writes the figures of the most unlike ones beside it.
interface Props {
  label: string;
  lowest: readonly number[];
  highest: readonly number[];
  format: (value: number) => string;
}

const width = 480;
const height = 96;
const radius = 1.5;

export function ChannelRanges({ label, lowest, highest, format }: Props) {
  const bottom = Math.min(0, ...lowest);
  const top = Math.max(0, ...highest);
  const x = (channel: number) => (width * (channel + 0.5)) / lowest.length;
  const y = (value: number) =>
    radius + (height - 2 * radius) * (1 - (value - bottom) / (top - bottom || 1));
  // One path for all of a kind: there may be thousands.
  const dots = (ends: readonly number[]) =>
    ends.map((end, i) => `M${x(i).toFixed(1)} ${y(end).toFixed(1)}h0`).join('');
  const bars = lowest
    .map((low, i) => `M${x(i).toFixed(1)} ${y(low).toFixed(1)}V${y(highest[i]!).toFixed(1)}`)
    .join('');
  return (
    <figure class="channel-ranges">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
        <title>{label}</title>
        <path class="between" d={bars} />
        <line class="guide" x1="0" x2={width} y1={y(0)} y2={y(0)} />
        <path class="end" d={dots(lowest) + dots(highest)} />
      </svg>
      <figcaption>
        <span style={{ top: 0 }}>{format(top)}</span>
        {top > 0 && bottom < 0 && <span style={{ top: `${(100 * y(0)) / height}%` }}>0</span>}
        <span style={{ top: '100%' }}>{format(bottom)}</span>
      </figcaption>
    </figure>
  );
}
