// fix_dim in what the library itself knows of a model: the core fixes its graph.
import type { ModelSummary, ValueSummary } from '../base/types.js';

export function fixDims(
  summary: ModelSummary,
  dims: Readonly<Record<string, number>>,
): ModelSummary {
  const sizeOf = (dim: string) => (Object.hasOwn(dims, dim) ? (dims[dim] as number) : dim);
  const fix = (value: ValueSummary): ValueSummary => ({
    ...value,
    shape: value.shape?.map((dim) => (typeof dim === 'string' ? sizeOf(dim) : dim)) ?? null,
  });
  return { ...summary, inputs: summary.inputs.map(fix), outputs: summary.outputs.map(fix) };
}
