// Calibration beside the reference's: the same prepared model and images, its MinMax calibrator
// against ours. Only the kernels differ (native against wasm: other orders of summation), so ranges
// agree to float rounding: 1e-5 of the tensor's largest magnitude.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseCalibrationCache } from '#dist/calibration/files/calibration-cache.js';
import { imageReader, quantizeStatic } from '#dist/index.js';

const data = '../shared/data';
const kTolerance = 1e-5;
const kImages = 8; // as tests/conformance/real_models.py

interface ManifestEntry {
  file: string;
  dataset: string;
  preprocess: Record<string, unknown>;
}

function calibrationImages(dataset: string): string[] {
  const folder = join(data, 'images', dataset, 'calib');
  const paths = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(folder, name));
  const step = Math.max(Math.floor(paths.length / kImages), 1);
  return paths.filter((_, i) => i % step === 0).slice(0, kImages);
}

for (const name of ['mobilenetv2-7', 'squeezenet1.0-7', 'resnet20_cifar10', 'efficientnet-lite0']) {
  const path = join(data, 'models', `${name}.onnx`);
  const skip = existsSync(path) ? false : `needs ${path}`;
  test(`${name}: ranges equal the reference's within ${kTolerance}`, { skip }, async () => {
    const manifest: ManifestEntry[] = JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8'));
    const entry = manifest.find(({ file }) => file === `models/${name}.onnx`);
    assert.ok(entry);
    const fixture = JSON.parse(
      gunzipSync(readFileSync(`tests/fixtures/conformance/${name}.json.gz`)).toString(),
    );
    const expected = parseCalibrationCache(JSON.stringify(fixture.ranges), name).ranges;
    const { report } = await quantizeStatic({
      modelInput: path,
      calibrationDataReader: imageReader(calibrationImages(entry.dataset), {
        preprocess: entry.preprocess,
      }),
      effort: 'none',
    });
    let compared = 0;
    for (const [tensor, [lowest, highest]] of Object.entries(report.ranges)) {
      const reference = expected[tensor];
      if (!reference) continue; // names that only one opset's preparation has
      ++compared;
      const magnitude = Math.max(Math.abs(reference[0]), Math.abs(reference[1]), 1e-30);
      const off = Math.max(Math.abs(lowest - reference[0]), Math.abs(highest - reference[1]));
      assert.ok(
        off <= kTolerance * magnitude,
        `${tensor}: [${lowest}, ${highest}], not [${reference}]`,
      );
    }
    assert.ok(compared >= 0.9 * Object.keys(expected).length, `only ${compared} tensors compared`);
  });
}
