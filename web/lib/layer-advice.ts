// Which layers to keep float, and what that is worth: from what each layer alone does to the
// output.
import type { Diagnosis, LayerDiagnosis } from 'onnx-ptq';

export interface LayerAdvice {
  nodes: string[];
  /** In dB, estimated: noise of layers adds up. */
  gain: number;
  /** Bytes that the file grows by: weights of four bytes for one. */
  bytes: number;
}

const mostNodes = 5;
/** Less is not worth a float layer. */
const leastGain = 1;
const bytesMore = 3;

const power = (decibels: number) => 10 ** (-decibels / 10);

/** The noise of a layer at the output; 0 where it was not measured. */
export const noiseOf = ({ alone }: LayerDiagnosis) => (alone === null ? 0 : power(alone));

/**
 * The fewest layers, the loudest first, after which another gains little. null: none stands out.
 */
export function layerAdvice({ layers }: Diagnosis): LayerAdvice | null {
  const loud = layers.filter((layer) => layer.isQuantized && noiseOf(layer) > 0);
  const total = loud.reduce((sum, layer) => sum + noiseOf(layer), 0);
  if (total === 0) return null;
  loud.sort((a, b) => noiseOf(b) - noiseOf(a));
  const chosen: LayerDiagnosis[] = [];
  let left = total;
  for (const layer of loud.slice(0, mostNodes)) {
    const after = Math.max(left - noiseOf(layer), total * 1e-4);
    if (10 * Math.log10(left / after) < leastGain) break;
    chosen.push(layer);
    left = after;
  }
  const gain = 10 * Math.log10(total / left);
  if (chosen.length === 0) return null;
  return {
    nodes: chosen.map(({ node }) => node),
    gain,
    bytes: chosen.reduce((sum, { weightBytes }) => sum + bytesMore * weightBytes, 0),
  };
}
