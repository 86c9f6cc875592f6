// What the page asks its worker beside what the library's worker answers.
import type {
  CompiledModules,
  DatasetDescription,
  Diagnosis,
  ModelInspection,
  ModelSummary,
  PartialPreprocess,
} from 'onnx-ptq';

export type PageRequest = {
  modules: CompiledModules;
  /** Where onnxruntime's files are, for what runs models. */
  runtimePaths?: Record<string, string>;
} & (
  | { kind: 'page:inspect'; model: File }
  | { kind: 'page:views'; files: readonly File[]; options: PreprocessOption[]; model: ModelSummary }
  | { kind: 'page:check'; files: readonly File[]; model: ModelSummary }
  | {
      kind: 'page:diagnose';
      model: File;
      externalData: Record<string, File>;
      quantized: Blob;
      quantizedData: Record<string, Blob>;
      dataset: DatasetDescription;
    }
  | { kind: 'page:zip'; files: { name: string; blob: Blob }[] }
);

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

/** By option; a text where the option does not fit. */
export type TensorViews = (TensorView | { error: string })[];

export interface PageAnswers {
  'page:inspect': ModelInspection;
  'page:views': TensorViews;
  /** Files that cannot be used, and why. */
  'page:check': { name: string; why: string }[];
  'page:diagnose': Diagnosis;
  'page:zip': Blob;
}
