// What was found out about pictures in one line for people, and the warning where it is not clear.
import { asHint, asMessage, type Sentence, say, sentence } from '../base/text.js';
import type { Diagnostic, PreprocessFinding, PreprocessReason } from '../base/types.js';

const number = (value: number) => String(Number(value.toPrecision(3)));

function reasonText({ by, value, other }: PreprocessReason): Sentence {
  const said = saidBy(by, number(value));
  return other && by !== 'graph' ? say`${said}; ${number(other.value)} with ${other.option}` : said;
}

function saidBy(by: PreprocessReason['by'], value: string): Sentence {
  switch (by) {
    case 'graph':
      return say`the graph normalizes itself`;
    case 'statistics':
      return say`statistics of the first BatchNormalization ${value} nats away`;
    case 'biases':
      return say`biases of the first Conv ${value} times its sums`;
    case 'scores':
      return say`class scores tell pictures apart by ${value} of 1`;
    case 'probabilities':
      return say`output tells ${value} nats about the pictures`;
    case 'pictures':
      return say`pictures that come out are ${value} times as like as unlike those put in`;
  }
}

/** "imagenet found by the model (…; next: minus-one-to-one)" */
export const findingText = (finding: Omit<PreprocessFinding, 'why'>): string =>
  findingSentence(finding).message;

function findingSentence(finding: Omit<PreprocessFinding, 'why'>): Sentence {
  const { chosen, runnerUp, reasons, decided } = finding;
  const [first, ...others] = reasons.map(reasonText);
  const why = first
    ? others.reduce((before, reason) => say`${before}, ${reason}`, first)
    : say`nothing in the model tells`;
  const how = decided.normalization ? say`found by the model` : say`guessed`;
  return say`${chosen.option} ${how} (${why}; next best: ${runnerUp.option})`;
}

/** Warns where it is not clear what normalizes; notes what was found. */
export function findingNote(finding: PreprocessFinding): Diagnostic {
  const { chosen, runnerUp, decided, plausible } = finding;
  const why = findingSentence(finding);
  if (decided.normalization) {
    return {
      severity: 'info',
      code: 'PREPROCESS_FOUND',
      ...asMessage(say`preprocessing: ${why}`),
    };
  }
  const turns =
    plausible.length > 1
      ? say`; samples take turns with ${plausible.map(({ option }) => option).join(', ')}`
      : sentence('');
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
