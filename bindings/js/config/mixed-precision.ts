// Mixed precision for QNN: a few activations are given another type, and this finds out what that
// means for the nodes around them. A node must have one type on all of its float activations, so
// the type of an overridden tensor is asked for on every other activation of the nodes that make or
// read it; where a tensor is then made in one type and read in another, a "convert" is added for
// those readers. The rules are those of the reference's MixedPrecisionTensorQuantOverridesFixer.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { GraphNode, ModelStructure } from '../base/types.js';
import type { QuantType } from '../options/quant-types.js';
import type {
  TensorQuantOverride,
  TensorQuantOverrides,
} from '../options/tensor-quant-overrides.js';
import { type ConfiguredModel, sorted } from './static-config.js';

/** The type of a tensor at one end; what is undefined is left to the defaults. */
interface TypeInfo {
  type: QuantType | undefined;
  symmetric?: boolean | undefined;
  reduceRange?: boolean | undefined;
  axis?: number | undefined;
}

/** What the nodes around a tensor ask for. */
interface TypeRequest {
  /** By the node that makes it; undefined: nothing. */
  producer?: TypeInfo;
  /** By nodes that read it, by name; undefined: nothing. */
  consumers?: { info: TypeInfo; nodes: Set<string> };
}

type Overrides = Map<string, TensorQuantOverride[]>;

const sameOrOpen = <T>(a: T | undefined, b: T | undefined) =>
  a === undefined || b === undefined || a === b;

const sameType = (a: TypeInfo, b: TypeInfo) =>
  a.type === b.type &&
  sameOrOpen(a.symmetric, b.symmetric) &&
  sameOrOpen(a.reduceRange, b.reduceRange) &&
  a.axis === b.axis;

function readType(entry: TensorQuantOverride, fallback?: QuantType): TypeInfo {
  const { quant_type: type = fallback, symmetric, reduce_range: reduceRange, axis } = entry;
  return { type, symmetric, reduceRange, axis };
}

function writeType({ type, symmetric, reduceRange, axis }: TypeInfo): TensorQuantOverride {
  return {
    ...(type !== undefined && { quant_type: type }),
    ...(symmetric !== undefined && { symmetric }),
    ...(reduceRange !== undefined && { reduce_range: reduceRange }),
    ...(axis !== undefined && { axis }),
  };
}

function conflict(tensor: string, message: string): QuantizeError {
  return new QuantizeError('INVALID_OPTION', say`mixed precision of "${tensor}": ${message}`, {
    tensor,
    hint: 'override the tensors around it with the same type, or write "convert" yourself',
  });
}

/**
 * The overrides with every type and "convert" that follows from them. Throws INVALID_OPTION where
 * they contradict each other or do not fit the model, UNSUPPORTED_MODEL where a node that would
 * have to be named in "recv_nodes" has no name.
 */
export function fixMixedPrecision(
  given: TensorQuantOverrides,
  model: ConfiguredModel,
  activationType: QuantType,
  activationSymmetric: boolean,
): TensorQuantOverrides {
  model.checkOverrides(given, activationType);
  const overrides: Overrides = new Map(Object.entries(structuredClone(given)));
  const consumers = consumersOf(model);
  const requests = requestTypes(overrides, model, consumers, {
    type: activationType,
    symmetric: activationSymmetric,
  });
  for (const [tensor, request] of requests) {
    const readers = new Set((consumers.get(tensor) ?? []).map(({ name }) => name));
    satisfy(overrides, tensor, request, readers, activationType);
  }
  const fixed = Object.fromEntries(overrides);
  for (const [entry] of Object.values(fixed)) {
    if (entry?.convert?.recv_nodes) entry.convert.recv_nodes = sorted(entry.convert.recv_nodes);
  }
  model.checkOverrides(fixed, activationType);
  return fixed;
}

function consumersOf(model: ModelStructure): Map<string, GraphNode[]> {
  const consumers = new Map<string, GraphNode[]>();
  for (const node of model.nodes) {
    for (const tensor of node.inputs) {
      if (tensor === '') continue;
      const list = consumers.get(tensor);
      if (list) list.push(node);
      else consumers.set(tensor, [node]);
    }
  }
  return consumers;
}

const isFloat = ({ tensors }: ModelStructure, tensor: string) =>
  Object.hasOwn(tensors, tensor) && /^float(32|16)$/.test(tensors[tensor] as string);

/** For every activation that is overridden to another type: ask it of all nodes that touch it. */
function requestTypes(
  overrides: Overrides,
  model: ModelStructure,
  consumers: Map<string, GraphNode[]>,
  defaultInfo: TypeInfo,
): Map<string, TypeRequest> {
  const requests = new Map<string, TypeRequest>();
  const producers = new Map<string, GraphNode>();
  for (const node of model.nodes) for (const tensor of node.outputs) producers.set(tensor, node);
  for (const [tensor, entries] of overrides) {
    const entry = entries[0];
    if (!isFloat(model, tensor) || Object.hasOwn(model.initializers, tensor)) continue;
    if (entry === undefined || entries.length > 1) continue;
    const info = readType(entry, defaultInfo.type);
    if (sameType(info, defaultInfo) || entry.convert) continue;
    const producer = producers.get(tensor);
    if (producer) requestForNode(requests, info, producer, model);
    for (const node of consumers.get(tensor) ?? []) requestForNode(requests, info, node, model);
  }
  return requests;
}

/** One type for all float activations of a node. */
function requestForNode(
  requests: Map<string, TypeRequest>,
  info: TypeInfo,
  node: GraphNode,
  model: ModelStructure,
): void {
  const requestOf = (tensor: string) => {
    const request = requests.get(tensor) ?? {};
    requests.set(tensor, request);
    return request;
  };
  for (const tensor of node.outputs) {
    if (!isFloat(model, tensor)) continue;
    const request = requestOf(tensor);
    if (request.producer && !sameType(request.producer, info)) {
      throw conflict(tensor, `it would be made both as ${request.producer.type} and ${info.type}`);
    }
    request.producer = info;
  }
  for (const tensor of node.inputs) {
    if (!isFloat(model, tensor) || Object.hasOwn(model.initializers, tensor)) continue;
    const request = requestOf(tensor);
    request.consumers ??= { info, nodes: new Set() };
    if (!sameType(request.consumers.info, info)) {
      const types = `${request.consumers.info.type} and ${info.type}`;
      throw conflict(tensor, `its readers ask for both ${types}`);
    }
    if (node.name === '') {
      throw new QuantizeError(
        'UNSUPPORTED_MODEL',
        say`the ${node.opType} that makes "${node.outputs[0]}" has no name, so it cannot be given a type of its own`,
        { tensor, hint: 'name the nodes of the model first, or set addQtypeConverts to false' },
      );
    }
    request.consumers.nodes.add(node.name);
  }
}

/** Makes the override of one tensor what is asked for. */
function satisfy(
  overrides: Overrides,
  tensor: string,
  request: TypeRequest,
  readers: Set<string>,
  activationType: QuantType,
): void {
  const { producer, consumers } = request;
  const defaultInfo: TypeInfo = { type: activationType };
  if (!consumers) {
    // Made in the new type, read by nodes that know nothing of it: back to the default for all of
    // them.
    if (producer) convert(overrides, tensor, producer, defaultInfo, readers);
    return;
  }
  const entry = overrides.get(tensor)?.[0];
  const made = producer ?? {
    type: entry?.quant_type ?? activationType,
    symmetric: entry?.symmetric,
  };
  if (!sameType(made, consumers.info)) {
    convert(overrides, tensor, made, consumers.info, consumers.nodes);
    return;
  }
  if (!producer) {
    const converted = entry?.convert;
    const nodes = converted?.recv_nodes;
    if (converted && (!nodes || nodes.some((name) => consumers.nodes.has(name)))) {
      throw conflict(tensor, 'its "convert" is for nodes that need the type it is made in');
    }
    return;
  }
  const others = new Set([...readers].filter((name) => !consumers.nodes.has(name)));
  if (others.size > 0) convert(overrides, tensor, made, defaultInfo, others);
  else if (!entry) overrides.set(tensor, [writeType(made)]);
  else if (entry.convert) throw conflict(tensor, 'all of its readers need the type it is made in');
}

/** Has `tensor` made as one type and converted to another for `nodes`. */
function convert(
  overrides: Overrides,
  tensor: string,
  from: TypeInfo,
  to: TypeInfo,
  nodes: Set<string>,
): void {
  let entry = overrides.get(tensor)?.[0];
  if (!entry) {
    entry = writeType(from);
    overrides.set(tensor, [entry]);
  }
  if (!sameType(from, readType(entry))) {
    throw conflict(tensor, `it is overridden to another type than ${from.type}`);
  }
  if (nodes.size === 0) return;
  const before = entry.convert;
  if (before && !sameType(to, readType(before))) {
    throw conflict(tensor, `it is converted to another type than ${to.type}`);
  }
  const base = before ?? (writeType(to) as NonNullable<TensorQuantOverride['convert']>);
  entry.convert = { ...base, recv_nodes: [...(base.recv_nodes ?? []), ...nodes] };
}
