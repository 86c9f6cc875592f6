// What a run will make of the model, for step 1: from the session's plan, and before it is there
// from the graph alone.
import type { Blocker, FloatReason, ModelInspection, SessionPlan } from 'onnx-ptq';
import type { Settings } from './settings';

export interface Shares {
  quantized: number;
  folded: number;
  float: number;
}

export interface Outlook {
  nodes: Shares;
  /** In bytes of the model as given; null where only nodes can be counted. */
  weights: Shares | null;
  bytesBefore: number;
  /** Estimated. */
  bytesAfter: number;
  /** Of a run, estimated, in bytes. */
  memory: number;
  /** Why nodes stay float, those that are alike together, the most first. */
  reasons: (FloatReason & { opType: string; count: number })[];
  /** Why the format cannot be written. */
  refused: Blocker | null;
  /** Whether the other format would quantize something. */
  otherQuantizes: boolean;
  customOps: string[];
  /** What becomes of a node, by name. */
  kindOf: (name: string) => keyof Shares;
}

interface Inputs {
  model: { file: File; summary: ModelInspection | null } | null;
  external: { found: Record<string, File> };
  settings: Settings;
  plan: SessionPlan | null;
}

/** The wasm modules and the session, roughly, whatever the model. */
const baseMemory = 60e6;

export function outlookOf({ model, external, settings, plan }: Inputs): Outlook | null {
  if (!model?.summary) return null;
  const { formats, nodesBefore, nodesAfter, weightBytes, activationBytes } = model.summary;
  const forecast = plan ?? formats[settings.quantFormat];
  const other = formats[settings.quantFormat === 'QDQ' ? 'QOperator' : 'QDQ'];
  const reasons = new Map<string, Outlook['reasons'][number]>();
  for (const { name: _, ...node } of forecast.nodesLeftFloat) {
    const key = `${node.opType} ${node.code}`;
    const known = reasons.get(key);
    if (known) known.count++;
    else reasons.set(key, { ...node, count: 1 });
  }
  const data = Object.values(external.found).reduce((sum, { size }) => sum + size, 0);
  const bytesBefore = plan?.bytesBefore ?? model.file.size + data;
  const customOps = forecast.nodesLeftFloat
    .filter(({ code }) => code === 'OTHER_DOMAIN')
    .map(({ opType }) => opType);
  const { refused } = formats[settings.quantFormat];
  const kinds = new Map<string, keyof Shares>([
    ...forecast.nodesQuantized.map(({ name }) => [name, 'quantized'] as const),
    ...forecast.nodesLeftFloat.map(({ name }) => [name, 'float'] as const),
  ]);
  const quantized = forecast.nodesQuantized.length;
  return {
    nodes: {
      quantized,
      folded: plan?.nodesFolded ?? Math.max(0, nodesBefore - nodesAfter),
      float: forecast.nodesLeftFloat.length,
    },
    weights: plan && {
      quantized: plan.weights.quantized,
      folded: plan.weights.folded,
      float: plan.weights.float,
    },
    bytesBefore,
    bytesAfter:
      plan?.bytesAfter ?? (quantized > 0 ? bytesBefore - weightBytes * 0.75 : bytesBefore),
    memory: plan?.memory ?? baseMemory + 3 * bytesBefore + 4 * activationBytes,
    reasons: [...reasons.values()].sort((a, b) => b.count - a.count),
    refused:
      plan?.blockers[0] ?? (refused ? { code: 'UNSUPPORTED_OPTION', message: refused } : null),
    otherQuantizes: other.nodesQuantized.length > 0 && !other.refused,
    customOps: [...new Set(customOps)],
    kindOf: (name) => kinds.get(name) ?? 'folded',
  };
}
