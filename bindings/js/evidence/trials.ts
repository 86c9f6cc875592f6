// Runs the float model, as it was given, on a few pictures under one candidate after the other.
import type { InputFiles } from '../base/bytes.js';
import { fromFloat16, toFloat16 } from '../base/float16.js';
import type { Run } from '../base/run.js';
import type {
  ModelSummary,
  PreprocessCandidate,
  SampleTensor,
  TrialPictures,
} from '../base/types.js';
import type { ModelFiles } from '../core/host-files.js';
import type { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { createSession, type OutputTensor } from '../runtime/runtime.js';

export interface TrialInput {
  core: CoreSession;
  files: ModelFiles;
  input: InputFiles;
  model: ModelSummary;
  runtime: Runtime;
  run: Run;
}

/** What a tensor held in one run. */
export interface Observed {
  dims: readonly number[];
  values: Float32Array;
}

export class Trials {
  readonly pictures: TrialPictures;
  readonly #given: TrialInput;

  constructor(given: TrialInput, pictures: TrialPictures) {
    this.#given = given;
    this.pictures = pictures;
  }

  /** Number of pictures. */
  get count(): number {
    return this.pictures.views.length;
  }

  /** A session with these tensors as outputs, and no more than they need. */
  async open(tensors: readonly string[]): Promise<TrialSession> {
    const { core, files, input, model, runtime, run } = this.#given;
    const { outputs, files: names } = core.writeTensorModel(tensors);
    const bytes = files.calibration.toBytes();
    files.calibration.truncate();
    const session = await createSession(runtime, input.label, {
      model: bytes,
      irVersion: model.irVersion,
      externalData: names.map((path) => ({ path, data: input.runtimeBytes(path) })),
      optimization: 'basic',
    });
    return {
      observe: async (candidate, picture, view) => {
        await run.checkpoint();
        const { input: taken } = this.pictures;
        const feeds = { [taken.name]: this.#tensor(candidate, picture, view) };
        const results = await session.run(feeds, outputs);
        return outputs.map((name) => observed(results[name]!));
      },
      release: () => session.release(),
    };
  }

  /** The pixels of one picture, normalized, and repeated where the model's batch is fixed. */
  #tensor(candidate: PreprocessCandidate, picture: number, view: number): SampleTensor {
    const { input, dims, channelsLast, views } = this.pictures;
    const pixels = views[picture]![view]!;
    const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    normalize(pixels, candidate, channelsLast, values);
    for (let at = pixels.length; at < values.length; at += pixels.length) {
      values.copyWithin(at, 0, pixels.length);
    }
    const data =
      input.type === 'float16'
        ? toFloat16(values)
        : input.type === 'float64'
          ? Float64Array.from(values)
          : values;
    return { type: input.type, dims, data };
  }
}

export interface TrialSession {
  /** One run: the tensors that the session was opened for. */
  observe(candidate: PreprocessCandidate, picture: number, view: number): Promise<Observed[]>;
  release(): Promise<void>;
}

/** RGB pixels as the candidate wants them. */
export function normalize(
  pixels: Float32Array,
  { order, mean, std }: PreprocessCandidate,
  channelsLast: boolean,
  out: Float32Array,
): void {
  const channels = order === 'Y' ? 1 : 3;
  const plane = pixels.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const from = order === 'BGR' ? 2 - channel : channel;
    const step = channelsLast ? channels : 1;
    let source = channelsLast ? from : from * plane;
    let target = channelsLast ? channel : channel * plane;
    for (let i = 0; i < plane; i++, source += step, target += step) {
      out[target] = (pixels[source]! - mean[channel]!) / std[channel]!;
    }
  }
}

function observed({ type, dims, data }: OutputTensor): Observed {
  if (type === 'float16')
    return { dims, values: Float32Array.from(data as Uint16Array, fromFloat16) };
  return {
    dims,
    values: data instanceof Float32Array ? data : Float32Array.from(data as Float64Array),
  };
}
