// Tensor overrides against the model that they are for: what tensor-quant-overrides.ts cannot know.
import { didYouMean } from '../base/near-matches.js';
import type { ModelStructure } from '../base/types.js';
import {
  invalidOverride,
  type TensorQuantOverride,
  type TensorQuantOverrides,
} from '../options/tensor-quant-overrides.js';

/** Throws INVALID_OPTION for the first override that the model has no tensor, axis or role for. */
export function checkOnModel(overrides: TensorQuantOverrides, model: ModelStructure): void {
  for (const [tensor, entries] of Object.entries(overrides)) {
    if (!Object.hasOwn(model.tensors, tensor)) {
      const near = didYouMean(tensor, Object.keys(model.tensors));
      throw invalidOverride(tensor, 'the model has no such tensor', near || undefined);
    }
    const dims = Object.hasOwn(model.initializers, tensor) ? model.initializers[tensor] : undefined;
    if (dims) checkInitializer(tensor, entries, dims);
    else checkActivation(tensor, entries);
  }
}

function checkActivation(tensor: string, entries: TensorQuantOverride[]): void {
  for (const key of ['axis', 'reduce_range'] as const) {
    if (entries.every((entry) => entry[key] === undefined)) continue;
    throw invalidOverride(tensor, `"${key}" is for initializers, this is an activation`);
  }
}

function checkInitializer(
  tensor: string,
  entries: TensorQuantOverride[],
  dims: readonly number[],
): void {
  if (entries.some(({ convert }) => convert)) {
    throw invalidOverride(tensor, '"convert" is for activations, this is an initializer');
  }
  const axis = entries[0]?.axis;
  if (axis === undefined) return;
  const channels = dims.at(axis);
  if (channels === undefined || axis >= dims.length || axis < -dims.length) {
    throw invalidOverride(tensor, `axis ${axis} of a tensor with ${dims.length} dimensions`);
  }
  if (entries.length > 1 && entries.length !== channels) {
    throw invalidOverride(
      tensor,
      `${entries.length} objects for ${channels} channels (axis ${axis})`,
      'give one object for all channels, or one for each',
    );
  }
}
