// The verdict: a word, a colour and a shape, so that none of them is needed to tell it.
import { useText } from '../i18n';
import type { Grade } from '../lib/verdict';

const shapes: Record<Grade, string> = {
  good: 'M3.5 8.5l3 3 6-6.5',
  usable: 'M3 8h10',
  unusable: 'M4 4l8 8M12 4l-8 8',
  identical: 'M3.5 6h9M3.5 10h9',
  unknown: 'M6 6a2 2 0 1 1 2.6 1.9c-.5.2-.6.6-.6 1.1M8 11.6v.4',
};

export function VerdictBadge({ grade }: { grade: Grade }) {
  const { t } = useText();
  return (
    <span class="verdict" data-grade={grade}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={shapes[grade]} />
      </svg>
      {t.verdict[grade]}
    </span>
  );
}
