// What may make a result better, the most promising first: changes of settings that are not made yet.
import type { RunRecord } from './run-record';
import type { Settings } from './settings';

export type MendKind = 'perChannel' | 'effort' | 'method' | 'sixteenBits';

export interface Mend {
  kind: MendKind;
  change: Partial<Settings>;
}

export function mendsOf({ inputs: { settings } }: RunRecord): Mend[] {
  const { advanced, quantFormat, activationType } = settings;
  const mends: Mend[] = [];
  if (!settings.perChannel || settings.weightType === 'QUInt8') {
    mends.push({ kind: 'perChannel', change: { perChannel: true, weightType: 'QInt8' } });
  }
  const method = advanced.calibrate_method ?? 'MinMax';
  const heedsEffort = method === 'MinMax' || method === 'Entropy';
  if ((advanced.effort ?? 'none') === 'none' && heedsEffort) {
    mends.push({ kind: 'effort', change: { advanced: { ...advanced, effort: 'fast' } } });
  }
  if (method === 'MinMax') {
    const { effort: _, ...others } = advanced;
    mends.push({ kind: 'method', change: { advanced: { ...others, calibrate_method: 'auto' } } });
  }
  if (quantFormat === 'QDQ' && !activationType.endsWith('16')) {
    mends.push({ kind: 'sixteenBits', change: { activationType: 'QUInt16' } });
  }
  return mends;
}
