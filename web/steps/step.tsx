// One numbered step of the page: its question, open or closed, and its answer in one line.
import type { ComponentChildren } from 'preact';

export type StepId =
  | 'model'
  | 'data'
  | 'preprocess'
  | 'target'
  | 'run'
  | 'report'
  | 'compare'
  | 'download';

export const stepIds: readonly StepId[] = [
  'model',
  'data',
  'preprocess',
  'target',
  'run',
  'report',
  'compare',
  'download',
];

export interface StepFrame {
  isOpen: boolean;
  onToggle: () => void;
}

interface Props extends StepFrame {
  id: StepId;
  title: string;
  /** Whether it can be answered yet; else it is closed and cannot be opened. */
  isReady: boolean;
  /** Whether there is an answer. */
  isDone: boolean;
  /** The answer in one line; what is missing where it is not ready. */
  line: ComponentChildren;
  /** Whether the open step says the same as the line. */
  saysLine?: boolean;
  /** Of the report: how many runs there are. */
  runs?: number;
  children: ComponentChildren;
}

export function Step(props: Props) {
  const { id, title, isReady, isDone, line, saysLine, runs, isOpen, onToggle, children } = props;
  const number = stepIds.indexOf(id) + 1;
  const open = isOpen && isReady;
  const head = (
    <>
      <span class="step-number" data-done={isDone} aria-hidden="true">
        {number}
      </span>
      <span class="step-title">{title}</span>
    </>
  );
  return (
    <section
      class="step"
      id={id}
      data-open={open}
      data-ready={isReady}
      data-runs={runs}
      aria-labelledby={`${id}-title`}
    >
      <h2 id={`${id}-title`} tabIndex={-1}>
        {isReady ? (
          <button
            type="button"
            class="step-head"
            aria-expanded={open}
            aria-controls={`${id}-body`}
            onClick={onToggle}
          >
            {head}
            <svg class="chevron" viewBox="0 0 16 16" aria-hidden="true">
              <path d="M4 6l4 4 4-4" />
            </svg>
          </button>
        ) : (
          <span class="step-head">{head}</span>
        )}
      </h2>
      <div class="step-line" hidden={!line || (open && saysLine)}>
        {line}
      </div>
      <div class="step-body" id={`${id}-body`} hidden={!open}>
        {open && children}
      </div>
    </section>
  );
}
