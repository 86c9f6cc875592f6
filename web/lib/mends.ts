// What may make a result better, the most promising first: changes of settings that are not made
// yet.
import type { Diagnosis } from 'onnx-ptq';
import { lines } from './advanced';
import { type LayerAdvice, layerAdvice } from './layer-advice';
import type { RunRecord } from './run-record';
import type { Settings } from './settings';

export type MendKind = 'perChannel' | 'effort' | 'method' | 'sixteenBits';

export interface Mend {
  kind: MendKind | 'layers';
  /** Of kind 'layers'. */
  advice?: LayerAdvice;
  change: Partial<Settings>;
}

/** `diagnosis`: where it is known by now. */
export function mendsOf({ inputs: { settings } }: RunRecord, diagnosis?: unknown): Mend[] {
  const { advanced, quantFormat, activationType } = settings;
  const mends: Mend[] = [];
  if (!settings.perChannel || settings.weightType === 'QUInt8') {
    mends.push({ kind: 'perChannel', change: { perChannel: true, weightType: 'QInt8' } });
  }
  if (advanced.effort === 'none' || advanced.effort === 'fast') {
    const { effort: _, ...others } = advanced; // normal
    mends.push({ kind: 'effort', change: { advanced: others } });
  }
  if ((advanced.calibrate_method ?? 'MinMax') === 'MinMax') {
    mends.push({ kind: 'method', change: { advanced: { ...advanced, calibrate_method: 'auto' } } });
  }
  if (quantFormat === 'QDQ' && !activationType.endsWith('16')) {
    mends.push({ kind: 'sixteenBits', change: { activationType: 'QUInt16' } });
  }
  const advice = isDiagnosis(diagnosis) ? layerAdvice(diagnosis) : null;
  if (advice) {
    const names = [...new Set([...lines(settings.nodesToExclude), ...advice.nodes])];
    const mend: Mend = { kind: 'layers', advice, change: { nodesToExclude: names.join('\n') } };
    // Per channel costs nothing, so it comes first where it is not used yet.
    mends.splice(mends[0]?.kind === 'perChannel' ? 1 : 0, 0, mend);
  }
  return mends;
}

const isDiagnosis = (value: unknown): value is Diagnosis =>
  typeof value === 'object' && value !== null && 'layers' in value;
