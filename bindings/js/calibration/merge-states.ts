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
 * Merges the texts of calibration states, one of each shard, in any order; one is in memory at a
 * time. `labels`: what errors call them. Throws INVALID_CALIBRATION_STATE where one is missing,
 * given twice, not complete, or of another run.
 */
export async function mergeRanges(
  texts: Iterable<string>,
  labels: readonly string[] = [],
): Promise<MergedRanges> {
  /** The first state, without what it collected. */
  let owner: CalibrationState | null = null;
  let calibration: CoreCalibration | null = null;
  const byIndex = new Map<number, string>();
  try {
    for (const text of texts) {
      const label = labels[byIndex.size] ?? `state ${byIndex.size + 1}`;
      const state = parseState(text, label);
      const collected = JSON.stringify(state.collected);
      if (calibration === null || owner === null) {
        owner = { ...state, collected: null };
        checkShard(state, label, owner, byIndex);
        calibration = await CoreCalibration.create(owner.options, owner.tensors);
        calibration.restore(collected);
      } else {
        checkShard(state, label, owner, byIndex);
        calibration.add(collected);
      }
    }
    if (calibration === null || owner === null) {
      throw new QuantizeError('INVALID_OPTION', 'there is no calibration state to merge');
    }
    checkAllThere(owner.shard?.count ?? 1, byIndex);
    calibration.endPass();
    return mergedRanges(calibration, owner);
  } finally {
    calibration?.dispose();
  }
}

/** What `calibration` is after the pass: ranges, or what the next pass goes on from. */
function mergedRanges(calibration: CoreCalibration, owner: CalibrationState): MergedRanges {
  const method = owner.options.calibrate_method as string;
  if (calibration.pass !== '') {
    const { shard: _, ...run } = owner;
    const collected = JSON.parse(calibration.save());
    const next = { groups: null, group: 0, done: 0, complete: false, collected };
    const calibrationState = formatState({ ...run, ...next });
    return { ranges: null, calibrationCache: null, calibrationState, method, diagnostics: [] };
  }
  const ranges = parseRanges(calibration.ranges());
  const written = owner.options.calib_per_channel ? calibration.rangesByChannel() : ranges;
  const calibrationCache = formatCalibrationCache({ method, smoothQuant: false, ranges: written });
  const diagnostics = calibration.notes();
  return { ranges, calibrationCache, calibrationState: null, method, diagnostics };
}

const invalid = (message: string, hint: string) =>
  new QuantizeError('INVALID_CALIBRATION_STATE', message, { hint });

/** Notes a shard of the run of `owner` in `byIndex`. */
function checkShard(
  state: CalibrationState,
  label: string,
  owner: CalibrationState,
  byIndex: Map<number, string>,
): void {
  const count = owner.shard?.count ?? 1;
  checkSameRun(state, owner, label);
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

function checkAllThere(count: number, byIndex: ReadonlyMap<number, string>): void {
  for (let index = 0; index < count; index++) {
    if (byIndex.has(index)) continue;
    throw invalid(
      `shard ${index}/${count} is missing`,
      `calibrate --shard ${index}/${count} makes it`,
    );
  }
}
