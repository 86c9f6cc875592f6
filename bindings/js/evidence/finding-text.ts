// What was found out about pictures in one line for people, and the warning where it is not clear.
import { asHint, asMessage, say } from '../base/text.js';
import type { Diagnostic, PreprocessFinding, PreprocessReason } from '../base/types.js';

const number = (value: number) => String(Number(value.toPrecision(3)));

function reasonText({ by, value, other }: PreprocessReason): string {
  const shown = number(value);
  const beside = (text: (value: string) => string) =>
    other ? `; ${text(number(other.value))} with ${other.option}` : '';
  switch (by) {
    case 'graph':
      return 'the graph normalizes itself';
    case 'statistics':
      return `statistics of the first BatchNormalization ${shown} nats away${beside((v) => v)}`;
    case 'biases':
      return `biases of the first Conv ${shown} times its sums${beside((v) => v)}`;
    case 'scores':
      return `class scores tell pictures apart by ${shown} of 1${beside((v) => v)}`;
    case 'probabilities':
      return `output tells ${shown} nats about the pictures${beside((v) => v)}`;
    case 'pictures':
      return `pictures that come out are ${shown} times as like as unlike those put in${beside((v) => v)}`;
  }
}

/** "imagenet found by the model (…; next: minus-one-to-one)" */
export function findingText(finding: Omit<PreprocessFinding, 'why'>): string {
  const { chosen, runnerUp, reasons, decided } = finding;
  const why =
    reasons.length > 0 ? reasons.map(reasonText).join(', ') : 'nothing in the model tells';
  const how = decided.normalization ? 'found by the model' : 'guessed';
  return `${chosen.option} ${how} (${why}; next best: ${runnerUp.option})`;
}

/** Warns where it is not clear what normalizes; notes what was found. */
export function findingNote(finding: PreprocessFinding): Diagnostic {
  const { chosen, runnerUp, decided, plausible, why } = finding;
  if (decided.normalization) {
    return { severity: 'info', code: 'PREPROCESS_FOUND', message: `preprocessing: ${why}` };
  }
  const turns =
    plausible.length > 1
      ? `; samples take turns with ${plausible.map(({ option }) => option).join(', ')}`
      : '';
  return {
    severity: 'warning',
    code: 'PREPROCESS_OPEN',
    ...asMessage(
      say`how pictures are preprocessed is not clear, ${chosen.option} or ${runnerUp.option}: ${why}${turns}`,
    ),
    ...asHint(
      say`say it: --preprocess ${quoted(chosen.option)}, or --preprocess ${quoted(runnerUp.option)}`,
    ),
  };
}

const quoted = (option: string) => (option.includes(' ') ? `"${option}"` : option);
