// Merges the states of all shards: into ranges after the last pass, else into the state from which
// every shard goes on. The result is the same to the bit as that of one run over all samples.

import { QuantizeError } from '../base/errors.js';
import type { Diagnostic, TensorRanges } from '../base/types.js';
import { CoreCalibration } from '../core/calibration.js';
import { parseRanges } from '../core/ranges.js';
import {
  type CalibrationState,
  checkSameRun,
  formatState,
  parseState,
} from './calibration-state.js';
import { formatCalibrationCache } from './files/calibration-cache.js';

export interface MergedRanges {
  /**
   * null where the method needs another pass: every shard is calibrated again, with
   * `calibrationState` as `resume`.
   */
  ranges: TensorRanges | null;
  calibrationCache: string | null;
  calibrationState: string | null;
  /** The calibration method. */
  method: string;
  diagnostics: Diagnostic[];
}

/**
 * Merges the texts of calibration states, one of each shard, in any order. `labels`: what errors
 * call them. Throws INVALID_CALIBRATION_STATE where one is missing, given twice, not complete, or
 * of another run.
 */
export async function mergeRanges(
  texts: readonly string[],
  labels: readonly string[] = texts.map((_, index) => `state ${index + 1}`),
): Promise<MergedRanges> {
  const states = texts.map((text, index) => parseState(text, labels[index] as string));
  const [first] = states;
  if (!first) throw new QuantizeError('INVALID_OPTION', 'there is no calibration state to merge');
  checkShards(states, labels);
  const calibration = await CoreCalibration.create(first.options, first.tensors);
  try {
    calibration.restore(JSON.stringify(first.collected));
    for (const state of states.slice(1)) calibration.add(JSON.stringify(state.collected));
    calibration.endPass();
    const method = first.options.calibrate_method as string;
    if (calibration.pass !== '') {
      const { shard: _, ...owner } = first;
      const run = { groups: null, group: 0, done: 0, complete: false };
      const collected = JSON.parse(calibration.save());
      const calibrationState = formatState({ ...owner, ...run, collected });
      return { ranges: null, calibrationCache: null, calibrationState, method, diagnostics: [] };
    }
    const ranges = parseRanges(calibration.ranges());
    const written = first.options.calib_per_channel ? calibration.rangesByChannel() : ranges;
    const calibrationCache = formatCalibrationCache({
      method,
      smoothQuant: false,
      ranges: written,
    });
    const diagnostics = calibration.notes();
    return { ranges, calibrationCache, calibrationState: null, method, diagnostics };
  } finally {
    calibration.dispose();
  }
}

function checkShards(states: readonly CalibrationState[], labels: readonly string[]): void {
  const invalid = (message: string, hint: string) =>
    new QuantizeError('INVALID_CALIBRATION_STATE', message, { hint });
  const count = states[0]?.shard?.count ?? 1;
  const byIndex = new Map<number, string>();
  for (const [i, state] of states.entries()) {
    const label = labels[i] as string;
    checkSameRun(state, states[0] as CalibrationState, label);
    const shard = state.shard ?? { index: 0, count: 1 };
    if (shard.count !== count) {
      throw invalid(
        `${label} is one of ${shard.count} shards, not of ${count}`,
        'merge shards of one run',
      );
    }
    const other = byIndex.get(shard.index);
    if (other !== undefined) {
      throw invalid(
        `${label} and ${other} are the same shard, ${shard.index}/${count}`,
        'give each once',
      );
    }
    if (!state.complete) {
      throw invalid(
        `${label} is not complete: shard ${shard.index}/${count} was stopped`,
        'go on with --resume',
      );
    }
    byIndex.set(shard.index, label);
  }
  for (let index = 0; index < count; index++) {
    if (byIndex.has(index)) continue;
    throw invalid(
      `shard ${index}/${count} is missing`,
      `calibrate --shard ${index}/${count} makes it`,
    );
  }
}
