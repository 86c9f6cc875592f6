// What the tests of the sample readers share: models by their inputs, all samples of a source, and
// its refusals.
import assert from 'node:assert/strict';
import { QuantizeError } from '#dist/base/errors.js';
import type {
  Feeds,
  ModelSummary,
  SampleSlice,
  SampleSource,
  ValueSummary,
} from '#dist/base/types.js';

export const modelOf = (...inputs: ValueSummary[]) => ({ inputs }) as ModelSummary;

export const input = (
  name: string,
  type: string,
  shape: ValueSummary['shape'] = null,
): ValueSummary => ({ name, type, shape });

export async function all(
  source: SampleSource,
  model: ModelSummary,
  slice?: SampleSlice,
): Promise<Feeds[]> {
  const samples: Feeds[] = [];
  for await (const sample of source.open(model, slice)) samples.push(sample);
  return samples;
}

/** For assert.throws and assert.rejects. */
export function isError(code: string, message: RegExp, hint?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof QuantizeError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

/** Refused either when the source is made or when it is read. */
export async function refused(
  make: () => SampleSource,
  model: ModelSummary,
  ...expected: Parameters<typeof isError>
): Promise<void> {
  await assert.rejects(async () => all(make(), model), isError(...expected));
}

/** A File with a path, as the page makes it of a dropped folder. */
export function fileOf(name: string, bytes: Uint8Array | ArrayBufferView): File {
  const { buffer, byteOffset, byteLength } = bytes;
  return new File([new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)], name);
}
