// Errors of all layers in graph order: where error enters a model. A bar is the higher the more
// noise the layer makes; colour and table say the same again.

export interface StripBar {
  key: string;
  /** In dB; null: not measured. */
  decibels: number | null;
  isChosen: boolean;
}

const height = 96;
/** No bar at this much, a full one at none. */
const quiet = 60;
const guides = [10, 20, 40];

export function LayerStrip({ bars, label }: { bars: readonly StripBar[]; label: string }) {
  const width = Math.max(bars.length, 1);
  const y = (decibels: number) => (height * Math.max(0, Math.min(quiet, decibels))) / quiet;
  return (
    <figure class="strip">
      <div class="strip-plot">
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
          <title>{label}</title>
          {bars.map(({ key, decibels, isChosen }, i) =>
            decibels === null ? null : (
              <rect
                key={key}
                class={`strip-bar ${gradeOf(decibels)}`}
                data-chosen={isChosen}
                x={i + 0.1}
                width={0.8}
                y={y(decibels)}
                height={Math.max(1, height - y(decibels))}
              />
            ),
          )}
          {guides.map((decibels) => (
            <line
              key={decibels}
              class="guide"
              x1="0"
              x2={width}
              y1={y(decibels)}
              y2={y(decibels)}
            />
          ))}
        </svg>
        {guides.map((decibels) => (
          <span
            key={decibels}
            class="guide-label"
            style={{ top: `${(100 * y(decibels)) / height}%` }}
            aria-hidden="true"
          >
            {decibels} dB
          </span>
        ))}
      </div>
    </figure>
  );
}

export const gradeOf = (decibels: number) =>
  decibels < 10 ? 'bad' : decibels < 20 ? 'fair' : 'good';
