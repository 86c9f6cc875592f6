// What the core plans, as a session tells it: with sizes before and after, and reasons in groups.

import { errorToData, type QuantizeError } from '../base/errors.js';
import type { ModelSummary, PlanReport, PrepareReport } from '../base/types.js';
import type { CalibrationNeed, FloatGroup, SessionPlan } from './types.js';

interface About {
  bytesBefore: number;
  memory: number;
  calibration: CalibrationNeed | null;
}

export function toPlan(
  { nodesBefore, nodesAfter, opsetBefore, diagnostics }: PrepareReport,
  plan: PlanReport,
  { bytesBefore, memory, calibration }: About,
): SessionPlan {
  const { weights, givenWeights, integerWeights } = plan;
  return {
    nodesQuantized: plan.nodesQuantized,
    nodesLeftFloat: plan.nodesLeftFloat,
    leftFloat: groupsOf(plan.nodesLeftFloat),
    nodesFolded: Math.max(0, nodesBefore - nodesAfter),
    weights: {
      given: givenWeights,
      quantized: weights.bytes - weights.floatBytes,
      quantizedAfter: integerWeights,
      folded: Math.max(0, givenWeights - weights.bytes),
      float: weights.floatBytes,
      left: weights.left,
    },
    bytesBefore,
    bytesAfter: plan.bytes,
    memory,
    opsetBefore,
    opsetAfter: plan.opset,
    isExact: plan.withRanges,
    calibration,
    blockers: [],
    diagnostics: [...diagnostics, ...plan.diagnostics],
  };
}

/** A plan for settings that cannot be carried out. */
export function blockedPlan(
  model: ModelSummary,
  bytesBefore: number,
  error: QuantizeError,
): SessionPlan {
  return {
    nodesQuantized: [],
    nodesLeftFloat: [],
    leftFloat: [],
    nodesFolded: 0,
    weights: { given: 0, quantized: 0, quantizedAfter: 0, folded: 0, float: 0, left: [] },
    bytesBefore,
    bytesAfter: bytesBefore,
    memory: 0,
    opsetBefore: model.opset,
    opsetAfter: model.opset,
    isExact: false,
    calibration: null,
    blockers: [errorToData(error)],
    diagnostics: [],
  };
}

function groupsOf(nodes: PlanReport['nodesLeftFloat']): FloatGroup[] {
  const groups = new Map<string, FloatGroup>();
  for (const { name, opType, ...reason } of nodes) {
    const group = groups.get(reason.code) ?? { ...reason, nodes: [], opTypes: {} };
    groups.set(reason.code, group);
    group.nodes.push(name);
    group.opTypes[opType] = (group.opTypes[opType] ?? 0) + 1;
  }
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
