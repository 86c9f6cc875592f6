// The parameters of inspect.
import { type CheckedOf, groups, type OptionSpec } from './spec.js';

export const inspectOptions = [
  {
    name: 'model_input',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['input_model', 'input', 'i'],
    help: 'the model (.onnx); its external data need not be there',
  },
  {
    name: 'fix_dim',
    kind: 'axes',
    default: {},
    for: ['run'],
    group: groups.steps,
    help: 'free dimensions of the inputs that get a size, by name: N=1',
  },
] as const satisfies readonly OptionSpec[];

export type CheckedInspect = CheckedOf<typeof inspectOptions>;
