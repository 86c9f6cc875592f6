// Histograms as filled curves over one axis, with its ends written below, marks where something is
// cut off, and a ruler of the steps that integers have. Heights are logarithmic where `log` is set.

interface Curve {
  key: string;
  counts: readonly number[];
  /** Where it is not the whole axis. */
  ends?: readonly [number, number];
}

interface Props {
  label: string;
  curves: readonly Curve[];
  /** Of the axis. */
  lowest: number;
  highest: number;
  format: (value: number) => string;
  log?: boolean;
  /** Lines at values of the axis; `kind` has its colour and dashes. */
  marks?: readonly { key: string; kind: string; at: number }[];
  steps?: { from: number; to: number; count: number };
}

const width = 240;
const height = 64;
/** A line for each of more steps would be a bar. */
const mostLines = 64;

export function Histogram(props: Props) {
  const { label, curves, lowest, highest, format, log, marks = [], steps } = props;
  const scaled = (count: number) => (log ? Math.log1p(count) : count);
  const most = Math.max(1e-9, ...curves.flatMap(({ counts }) => counts.map(scaled)));
  const x = (value: number) =>
    Math.max(0, Math.min(width, (width * (value - lowest)) / (highest - lowest || 1)));
  // Said where it does not run into the ends.
  const zero = -lowest / (highest - lowest || 1);
  const path = ({ counts, ends: [from, to] = [lowest, highest] }: Curve) => {
    const [begin, end] = [x(from), x(to)];
    const step = (end - begin) / counts.length;
    const points = counts.map((count, i) => {
      const y = (height - 2) * (1 - scaled(count) / most) + 2;
      const [left, right] = [begin + i * step, begin + (i + 1) * step];
      return `L${left.toFixed(1)} ${y.toFixed(1)}L${right.toFixed(1)} ${y.toFixed(1)}`;
    });
    return `M${begin.toFixed(1)} ${height}${points.join('')}L${end.toFixed(1)} ${height}Z`;
  };
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
        <title>{label}</title>
        {curves.map((curve) => (
          <path key={curve.key} class={`curve ${curve.key}`} d={path(curve)} />
        ))}
        {marks.map(({ key, kind, at }) => (
          <line key={key} class="mark" data-mark={kind} x1={x(at)} x2={x(at)} y1="0" y2={height} />
        ))}
      </svg>
      {steps && (
        <svg class="ruler" viewBox={`0 0 ${width} 8`} preserveAspectRatio="none" aria-hidden="true">
          <path d={rulerPath(x(steps.from), x(steps.to), Math.min(mostLines, steps.count))} />
        </svg>
      )}
      <figcaption>
        <span>{format(lowest)}</span>
        {zero > 0.15 && zero < 0.85 && (
          <span class="zero" style={{ left: `${100 * zero}%` }}>
            0
          </span>
        )}
        <span>{format(highest)}</span>
      </figcaption>
    </figure>
  );
}

/** Lines from the first to the last step, every eighth longer. */
function rulerPath(from: number, to: number, lines: number): string {
  const at = (i: number) => (from + ((to - from) * i) / lines).toFixed(2);
  return Array.from({ length: lines + 1 }, (_, i) => `M${at(i)} 0v${i % 8 === 0 ? 8 : 4}`).join('');
}
