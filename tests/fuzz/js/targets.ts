// What is fuzzed in JavaScript: each reader of files that come from outside, from the first byte to
// the last value.
import { strict as assert } from 'node:assert';
import { all, fileOf, input, modelOf } from '../../js/support/readers.js';
import {
  CoreSession,
  calibrateOptions,
  checkCalibrate,
  checkQuantizeStatic,
  coreOptions,
  datasetReader,
  decodeImage,
  type Feeds,
  formatCalibrationCache,
  formatConfig,
  formatRanges,
  imageReader,
  loadCore,
  MemoryInput,
  ModelFiles,
  mergeRanges,
  npyReader,
  npzReader,
  parseConfig,
  parsePreprocess,
  parseState,
  pbReader,
  QuantizeError,
  quantizeStaticOptions,
  Reason,
  readerFiles,
  readNpyHeader,
  readRanges,
  readTensorProto,
  readZip,
  type ValueSummary,
  wavReader,
  ZipStream,
} from './modules.js';
import { repairPng, repairZip } from './repair.js';
import { seedsOf } from './seeds.js';

export interface Target {
  name: keyof typeof seedsOf;
  kind: 'binary' | 'text';
  seeds(): Uint8Array[] | Promise<Uint8Array[]>;
  /**
   * Ends, or throws what the reader throws; an AssertionError where a result is not what it must
   * be.
   */
  run(bytes: Uint8Array): Promise<void>;
  /** Makes right what would otherwise end most mutants at one check. */
  repair?(bytes: Uint8Array): Uint8Array;
  /** Under dist: whose coverage is measured. */
  files: readonly string[];
}

const bytesOf: Record<string, number> = {
  float64: 8,
  int64: 8,
  uint64: 8,
  float32: 4,
  int32: 4,
  uint32: 4,
  float16: 2,
  int16: 2,
  uint16: 2,
};

/** Every tensor has as many values as its shape says, of its type. */
function checkSamples(samples: readonly Feeds[]): void {
  for (const sample of samples) {
    for (const { type, dims, data } of Object.values(sample)) {
      assert.ok(
        dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0),
        `shape [${dims}]`,
      );
      assert.equal(
        data.length,
        dims.reduce((product, dim) => product * dim, 1),
      );
      if (type === 'string') assert.ok((data as string[]).every((one) => typeof one === 'string'));
      else assert.equal((data as Uint8Array).BYTES_PER_ELEMENT, bytesOf[type] ?? 1);
    }
  }
}

/**
 * What a reader within says as Error or Reason ("…with a reason that can follow the name"); null
 * where it is refused so.
 */
async function reasoned<T>(work: () => T | Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof QuantizeError) throw error;
    if (error instanceof Reason || (error as Error).constructor === Error) return null;
    throw error;
  }
}

const named = (name: string, bytes: Uint8Array) => ({
  name,
  size: bytes.length,
  read: async (start: number, end: number) => bytes.slice(start, end),
});

async function readEntries(bytes: Uint8Array): Promise<void> {
  const file = named('a.zip', bytes);
  for (const entry of await readZip(file)) {
    const stream = new ZipStream(file, entry);
    while (stream.left > 0) await stream.read(Math.min(stream.left, 4096));
  }
}

/** The error of `first` last, so that one refusal does not keep the other reader from the input. */
async function both(first: () => Promise<void>, second: () => Promise<void>): Promise<void> {
  let refusal: unknown;
  try {
    await first();
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    refusal = error;
  }
  await second();
  if (refusal) throw refusal;
}

/** A model whose input is what the array says it is, so that its values are read too. */
async function arrayInput(bytes: Uint8Array): Promise<ValueSummary> {
  let at = 0;
  const header = await reasoned(() =>
    readNpyHeader(async (count) => {
      if (at + count > bytes.length) throw new Error('it ends early');
      at += count;
      return bytes.subarray(at - count, at);
    }),
  );
  const rank = header?.shape.length ?? 2;
  // One axis is of samples, in two of three arrays.
  const own = rank % 3 === 0 ? rank : Math.max(0, rank - 1);
  return input('x', header?.type ?? 'float32', Array(own).fill(null));
}

const decodes = (name: string) => async (bytes: Uint8Array) => {
  const { width, height, channels, data } = await decodeImage(bytes, name);
  assert.equal(data.length, width * height * channels);
};

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

const targets: Record<keyof typeof seedsOf, Omit<Target, 'name' | 'seeds' | 'files'>> = {
  zip: {
    kind: 'binary',
    repair: repairZip,
    run: (bytes) =>
      both(
        () => readEntries(bytes),
        async () => {
          const model = modelOf(input('x', 'float32', [null, 3]));
          checkSamples(await all(datasetReader(fileOf('a.zip', bytes)), model));
        },
      ),
  },
  npy: {
    kind: 'binary',
    async run(bytes) {
      const model = modelOf(await arrayInput(bytes));
      checkSamples(await all(npyReader(fileOf('x.npy', bytes)), model));
    },
  },
  npz: {
    kind: 'binary',
    repair: repairZip,
    run: (bytes) =>
      both(
        async () => {
          const model = modelOf(input('x', 'float32'), input('y', 'float32'));
          checkSamples(await all(npzReader(fileOf('a.npz', bytes)), model));
        },
        async () => {
          const model = modelOf(input('x', 'float32', [3]));
          checkSamples(await all(npzReader(fileOf('a.npz', bytes)), model, { first: 1, step: 2 }));
        },
      ),
  },
  pb: {
    kind: 'binary',
    async run(bytes) {
      const tensor = await reasoned(() => readTensorProto(bytes));
      const model = modelOf(input('x', tensor?.type ?? 'float32'));
      checkSamples(await all(pbReader(fileOf('input_0.pb', bytes)), model));
    },
  },
  png: { kind: 'binary', repair: repairPng, run: decodes('a.png') },
  jpeg: { kind: 'binary', run: decodes('a.jpg') },
  wav: {
    kind: 'binary',
    run: (bytes) =>
      both(
        async () => {
          const model = modelOf(input('x', 'float32', [1, null]));
          checkSamples(await all(wavReader(fileOf('a.wav', bytes)), model));
        },
        async () => {
          const model = modelOf(input('x', 'float16', [50]));
          const reader = wavReader(fileOf('a.wav', bytes), { sampleRate: 11025 });
          checkSamples(await all(reader, model));
        },
      ),
  },
  images: {
    kind: 'binary',
    repair: (bytes) => (bytes[0] === 0x89 ? repairPng(bytes) : bytes),
    async run(bytes) {
      const file = fileOf('a.png', bytes);
      const modes = ['stretch', 'center', 'letterbox'];
      const mode = modes[bytes.length % modes.length];
      const reader = imageReader(file, { preprocess: `imagenet mode=${mode}` });
      checkSamples(await all(reader, modelOf(input('x', 'float32', [1, 3, 8, 6]))));
    },
  },
  cache: {
    kind: 'text',
    async run(bytes) {
      const { ranges } = readRanges(textOf(bytes), 'cache');
      for (const ends of Object.values(ranges)) {
        assert.ok(
          ends.every((end) => typeof end === 'number' && !Number.isNaN(end)),
          `[${ends}]`,
        );
      }
      formatRanges(ranges);
      if (!Object.values(ranges).flat().every(Number.isFinite)) return; // JSON has no infinity
      const again = formatCalibrationCache({ method: 'MinMax', smoothQuant: false, ranges });
      assert.deepEqual(readRanges(again, 'cache').ranges, ranges);
    },
  },
  state: {
    kind: 'text',
    async run(bytes) {
      // Two shards with a zero byte between them.
      const texts = textOf(bytes).split('\0').slice(0, 2);
      for (const text of texts) parseState(text, 'state');
      await mergeRanges(texts);
    },
  },
  configuration: {
    kind: 'text',
    run: async (bytes) => {
      const text = textOf(bytes);
      const tables = [
        [quantizeStaticOptions, checkQuantizeStatic],
        [calibrateOptions, checkCalibrate],
      ] as const;
      const core = await loadCore();
      const refusals: unknown[] = [];
      for (const [table, check] of tables) {
        try {
          const checked: Record<string, unknown> = check(parseConfig(text, 'config', table), core);
          coreOptions(checked);
          if (checked.preprocess) parsePreprocess(checked.preprocess);
          parseConfig(formatConfig(checked), 'config', table);
        } catch (error) {
          if (!(error instanceof QuantizeError)) throw error;
          refusals.push(error);
        }
      }
      if (refusals.length === tables.length) throw refusals[0];
    },
  },
  model: {
    kind: 'binary',
    async run(bytes) {
      const files = new Map([
        ['~model', bytes],
        ['weights.bin', bytes],
      ]);
      const core = await CoreSession.create(new ModelFiles(new MemoryInput('m.onnx', files)));
      try {
        core.open();
        core.structure();
      } finally {
        core.dispose();
      }
    },
  },
};

export const allTargets: readonly Target[] = Object.entries(targets).map(([key, target]) => {
  const name = key as keyof typeof seedsOf;
  return { ...target, name, seeds: seedsOf[name], files: readerFiles[name] };
});
