// The advanced options in groups of what they are about; what is in none of them is 'other'.
import type { AdvancedField } from './advanced';

export const advancedGroups = ['calibration', 'types', 'nodes', 'qdq', 'machine'] as const;
export type AdvancedGroup = (typeof advancedGroups)[number];

const rules: [AdvancedGroup, RegExp][] = [
  ['machine', /^(workers|memory_budget|use_external_data_format|sample_rate)$/],
  ['calibration', /^(calibrat|calib|effort|Calib|SmoothQuant|Smooth|percentile|num_|Percentile)/],
  ['qdq', /(QDQ|Qdq|Dedicated|AddQDQ|QuantizeBias)/],
  ['nodes', /(nodes_|MatMulConstBOnly|Subgraph|ForceQuantize|Node|OpType|Op[A-Z]|extra\.)/],
  ['types', /./],
];

export const groupOf = ({ name }: AdvancedField): AdvancedGroup =>
  rules.find(([, pattern]) => pattern.test(name))![0];
