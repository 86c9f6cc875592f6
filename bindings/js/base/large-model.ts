// Models whose weights are worth more care than the time that it takes: of these one session is
// loaded at a time.
import { type InputFiles, inputBytes } from './bytes.js';

const leastBytes = 64 * 2 ** 20;

export const isLargeModel = (
  input: InputFiles,
  model: { externalFiles: readonly string[] },
): boolean => inputBytes(input, model) >= leastBytes;
