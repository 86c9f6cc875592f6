// Values of two models against each other: on the diagonal they are the same.
interface Props {
  label: string;
  x: Float32Array;
  y: Float32Array;
  xLabel: string;
  yLabel: string;
}

const side = 320;
const mostPoints = 600;

export function Scatter({ label, x, y, xLabel, yLabel }: Props) {
  const step = Math.max(1, Math.ceil(x.length / mostPoints));
  let [lowest, highest] = [Infinity, -Infinity];
  for (const values of [x, y]) {
    for (const value of values) {
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
  }
  const at = (value: number) => (side * (value - lowest)) / (highest - lowest || 1);
  const points: [number, number][] = [];
  for (let i = 0; i < x.length; i += step) points.push([at(x[i]!), side - at(y[i]!)]);
  return (
    <figure class="scatter">
      <svg viewBox={`-4 -4 ${side + 8} ${side + 8}`} role="img">
        <title>{label}</title>
        <line class="diagonal" x1="0" y1={side} x2={side} y2="0" />
        {points.map(([cx, cy], i) => (
          <circle key={i} {...{ cx, cy }} r="2.5" />
        ))}
      </svg>
      <figcaption>
        <span>↑ {yLabel}</span>
        <span>{xLabel} →</span>
      </figcaption>
    </figure>
  );
}

/** −1…1. */
export function cosine(x: Float32Array, y: Float32Array): number {
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += x[i]! * y[i]!;
    xx += x[i]! ** 2;
    yy += y[i]! ** 2;
  }
  return xx === 0 || yy === 0 ? (xx === yy ? 1 : 0) : xy / Math.sqrt(xx * yy);
}
