// What stands for a model without any repair.
import type { Repairs } from './types.js';

export const noRepairs: Repairs = {
  layerIo: false,
  equalize: false,
  correctBiases: false,
  round: false,
  smooth: 0,
  floatNodes: [],
  ranges: {},
};
