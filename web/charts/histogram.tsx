// Histograms as filled curves over one axis, with its ends written below and marks where something
// is cut off. Heights are logarithmic where `log` is set.

interface Curve {
  key: string;
  counts: readonly number[];
}

interface Props {
  label: string;
  curves: readonly Curve[];
  /** Of the axis. */
  lowest: number;
  highest: number;
  format: (value: number) => string;
  log?: boolean;
  /** Lines at values of the axis. */
  marks?: readonly { key: string; at: number; label: string }[];
}

const width = 240;
const height = 64;

export function Histogram({ label, curves, lowest, highest, format, log, marks = [] }: Props) {
  const scaled = (count: number) => (log ? Math.log1p(count) : count);
  const most = Math.max(1e-9, ...curves.flatMap(({ counts }) => counts.map(scaled)));
  const x = (value: number) =>
    Math.max(0, Math.min(width, (width * (value - lowest)) / (highest - lowest || 1)));
  const path = (counts: readonly number[]) => {
    const step = width / counts.length;
    const points = counts.map((count, i) => {
      const y = (height - 2) * (1 - scaled(count) / most) + 2;
      return `L${(i * step).toFixed(1)} ${y.toFixed(1)}L${((i + 1) * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    return `M0 ${height}${points.join('')}L${width} ${height}Z`;
  };
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
        <title>{label}</title>
        {curves.map(({ key, counts }) => (
          <path key={key} class={`curve ${key}`} d={path(counts)} />
        ))}
        {marks.map(({ key, at }) => (
          <line key={key} class={`mark ${key}`} x1={x(at)} x2={x(at)} y1="0" y2={height} />
        ))}
      </svg>
      <figcaption>
        <span>{format(lowest)}</span>
        {lowest < 0 && highest > 0 && (
          <span class="zero" style={{ left: `${(100 * -lowest) / (highest - lowest)}%` }}>
            0
          </span>
        )}
        <span>{format(highest)}</span>
      </figcaption>
      {marks.some(({ label: text }) => text) && (
        <ul class="legend">
          {marks.map(({ key, label: text }) => (
            <li key={key} data-part={key}>
              <span class="swatch" aria-hidden="true" />
              {text}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
