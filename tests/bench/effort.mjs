// What an effort costs beside none, on mobilenetv2-7: CPU time of the whole of quantizeStatic, each
// in a process of its own, in both runtimes.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const library = import.meta.resolve('onnx-ptq');
const efforts = ['none', 'fast', 'normal'];

/** CPU seconds of one job. */
function secondsOf(model, images, count, effort, runtime) {
  const job = `
    import { datasetReader, quantizeStatic } from ${JSON.stringify(library)};
    const start = process.cpuUsage();
    await quantizeStatic({
      modelInput: ${JSON.stringify(model)},
      calibrationDataReader: datasetReader(${JSON.stringify(images)}, { preprocess: 'imagenet', limit: ${count} }),
      effort: '${effort}', runtime: '${runtime}',
      quantFormat: 'QDQ', weightType: 'QInt8', perChannel: true,
    });
    const { user, system } = process.cpuUsage(start);
    console.log((user + system) / 1e6);`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', job],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** Runs in turn, so that what else the machine does meets all alike. */
export function benchEffort({ data, rounds, images: count }) {
  const model = join(data, 'models/mobilenetv2-7.onnx');
  const images = join(data, 'images/imagenet/calib');
  if (!existsSync(model)) {
    console.log(`bench: skipped, there is no ${model}`);
    return;
  }
  console.log(`| ${count} images, CPU s (of none) | ${efforts.join(' | ')} |`);
  console.log(
    `| ${Array(efforts.length + 1)
      .fill('---')
      .join(' | ')} |`,
  );
  for (const runtime of ['node', 'web']) {
    const best = efforts.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < rounds; round++) {
      for (const [i, effort] of efforts.entries()) {
        best[i] = Math.min(best[i], secondsOf(model, images, count, effort, runtime));
      }
    }
    const cells = best.map((s) => `${s.toFixed(1)} (${(s / best[0]).toFixed(2)} ×)`);
    console.log(`| onnxruntime-${runtime} | ${cells.join(' | ')} |`);
  }
}
