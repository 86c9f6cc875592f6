// What the page asks its workers beside what the library's worker answers.
import type {
  Blocker,
  CompiledModules,
  ModelInspection,
  ModelSummary,
  PartialPreprocess,
} from 'onnx-ptq';

/** Of the worker that reads models (reader.ts). */
export interface ReadRequest {
  modules: CompiledModules;
  kind: 'page:inspect';
  model: File;
}

/** Of the worker that has everything (worker.ts). */
export type WorkRequest = {
  modules: CompiledModules;
} & (
  | { kind: 'page:views'; files: readonly File[]; options: PreprocessOption[]; model: ModelSummary }
  | { kind: 'page:check'; files: readonly File[]; model: ModelSummary }
  | { kind: 'page:zip'; files: { name: string; blob: Blob }[] }
);

export type PageRequest = ReadRequest | WorkRequest;

/** As the option `preprocess`; undefined: guessed. */
export type PreprocessOption = string | PartialPreprocess | undefined;

/** What a picture has become: the tensor as a picture again, and what is in it. */
export interface TensorView {
  width: number;
  height: number;
  /** Stretched between the lowest and the highest value; the channels as the model takes them. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  channels: ChannelView[];
  lowest: number;
  highest: number;
}

export interface ChannelView {
  mean: number;
  /** Of the values between lowest and highest of the whole tensor. */
  histogram: number[];
}

/** A sentence of the library that says what is wrong. */
export type Problem = Pick<Blocker, 'message' | 'messageText'>;

/** By option; what is wrong where the option does not fit. */
export type TensorViews = (TensorView | { problem: Problem })[];

export interface PageAnswers {
  'page:inspect': ModelInspection;
  'page:views': TensorViews;
  /** Files that cannot be used, and why. */
  'page:check': { name: string; why: Problem }[];
  'page:zip': Blob;
}
