// What was done, as a text to keep beside the model.
import { version } from 'onnx-ptq';
import type { RunRecord } from './run-record';
import { configuration } from './settings';
import { commandLine } from './snippets';

export function recipeText({ name, inputs, result, verdict }: RunRecord): string {
  const { report } = result;
  const { agreement } = verdict;
  const figures = [
    `- size: ${report.bytesBefore} → ${report.bytesAfter} bytes`,
    `- nodes quantized: ${report.nodesQuantized.length}, float: ${report.nodesLeftFloat.length}`,
    `- output SQNR: ${verdict.sqnr === null ? 'not measured' : `${verdict.sqnr.toFixed(1)} dB`}`,
    ...(agreement ? [`- same top class: ${agreement.agree} of ${agreement.of}`] : []),
  ];
  const { settings, holdOut } = inputs;
  const samples = inputs.isWhole ? null : inputs.samples.map((sample) => sample.name);
  return `# ${name}

Made from ${inputs.model.name} by onnx-ptq ${version().version}, in a browser.

${figures.join('\n')}
- samples: ${report.calibration.done}

## Settings

\`\`\`json
${JSON.stringify(configuration(inputs.settings), null, 2)}
\`\`\`

## The same from the command line

\`\`\`
${commandLine({ settings, model: inputs.model.name, output: name, samples, holdOut })}
\`\`\`
`;
}
