// The file of a calibration that is not finished: cancelled, or one shard of several. What was
// collected, and what it belongs to, so that it is never continued with another model or other
// options.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { CalibratedTensor, OptionValues } from '../base/types.js';
import { isObject } from '../base/values.js';

/** Shard `index` of `count`: samples index, index + count, … counted from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface CalibrationState {
  /** Digest of the model and its data files, see model-digest.ts. */
  model: string;
  /** The options that the ranges depend on. */
  options: OptionValues;
  tensors: CalibratedTensor[];
  /** How many samples are held out at most. */
  holdOut: number;
  /** Whether ranges are made from these, too. */
  heldInRanges: boolean;
  /** Absent: of all samples. */
  shard?: Shard;
  /** Numbers of the tensors of each run of the pass; null in a pass of reductions. */
  groups: number[][] | null;
  /** Which of them is being run. */
  group: number;
  /** Samples of this run that are collected. */
  done: number;
  /** Whether the pass is through: nothing is missing but the other shards. */
  complete: boolean;
  /** CoreCalibration.save() */
  collected: unknown;
}

/** What a state belongs to, the model aside. */
export type StateOwner = Pick<CalibrationState, 'options' | 'tensors' | 'holdOut' | 'heldInRanges'>;

const format = 'onnx-ptq calibration state';
const version = 4;

export function formatState(state: CalibrationState): string {
  return `${JSON.stringify({ format, version, ...state })}\n`;
}

/** Throws INVALID_CALIBRATION_STATE. `label`: what errors call it. */
export function parseState(text: string, label: string): CalibrationState {
  const invalid = (why: string, hint: string) =>
    new QuantizeError('INVALID_CALIBRATION_STATE', say`${label}: ${why}`, { hint });
  let state: CalibrationState & { format?: string; version?: number };
  try {
    state = JSON.parse(text);
  } catch {
    throw invalid('not a calibration state', 'calibrate --calibration_state writes one');
  }
  if (state?.format !== format) {
    throw invalid('not a calibration state', 'calibrate --calibration_state writes one');
  }
  if (state.version !== version) {
    throw invalid('written by another version of onnx-ptq', 'calibrate again');
  }
  if (!isWhole(state, text.length)) throw invalid('damaged', 'calibrate again');
  return state;
}

const isBelow = (value: unknown, end: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < end;

/**
 * Whether everything is there and of its kind. What was collected is checked by the core, which
 * goes on from it.
 */
function isWhole(state: CalibrationState, length: number): boolean {
  const { model, options, tensors, holdOut, heldInRanges, shard } = state;
  const { groups, group, done, complete, collected } = state;
  if (!Array.isArray(tensors)) return false;
  const isTensor = ({ name, half, channels = 1 }: CalibratedTensor) =>
    typeof name === 'string' && typeof half === 'boolean' && isBelow(channels, length);
  const isGroup = (one: unknown) =>
    Array.isArray(one) && one.every((tensor) => isBelow(tensor, tensors.length));
  return (
    typeof model === 'string' &&
    isObject(options) &&
    isBelow(holdOut, Number.MAX_SAFE_INTEGER) &&
    typeof heldInRanges === 'boolean' &&
    tensors.every((tensor) => isObject(tensor) && isTensor(tensor)) &&
    // Each channel has numbers of its own in what was collected.
    tensors.reduce((sum, { channels = 1 }) => sum + channels, 0) < length &&
    (shard === undefined || (isObject(shard) && isBelow(shard.index, shard.count))) &&
    (groups === null || (Array.isArray(groups) && groups.every(isGroup))) &&
    isBelow(group, (groups?.length ?? 1) + 1) &&
    isBelow(done, Number.MAX_SAFE_INTEGER) &&
    typeof complete === 'boolean' &&
    isObject(collected)
  );
}

/** Throws INVALID_CALIBRATION_STATE where `state` belongs to another run than `expected`. */
export function checkSameRun(
  state: StateOwner & Pick<CalibrationState, 'model'>,
  expected: StateOwner & Pick<CalibrationState, 'model'>,
  label: string,
): void {
  const differs = (what: string) =>
    new QuantizeError('INVALID_CALIBRATION_STATE', say`${label} was made with ${what}`, {
      hint: 'calibrate again, or give the model and options that it was made with',
    });
  if (state.model !== expected.model) throw differs('another model');
  for (const name of new Set([...Object.keys(state.options), ...Object.keys(expected.options)])) {
    const [a, b] = [state.options[name], expected.options[name]].map((value) =>
      JSON.stringify(value),
    );
    if (a !== b) throw differs(`${name} ${a ?? 'unset'} instead of ${b ?? 'unset'}`);
  }
  if (state.heldInRanges !== expected.heldInRanges) {
    throw differs(`hold_out ${state.heldInRanges ? 'unset' : state.holdOut}`);
  }
  if (state.holdOut !== expected.holdOut) {
    throw differs(`hold_out ${state.holdOut} instead of ${expected.holdOut}`);
  }
  if (JSON.stringify(state.tensors) !== JSON.stringify(expected.tensors)) {
    throw differs('other tensors');
  }
}
