// Step 8, open: the files, and the same run elsewhere.
import { useState } from 'preact/hooks';
import { CopyBlock } from '../components/copy-block';
import { FileButton } from '../components/file-button';
import { useText } from '../i18n';
import { askWorker } from '../lib/ask-worker';
import { recipeText } from '../lib/recipe';
import type { RunRecord } from '../lib/run-record';
import { save, saveText } from '../lib/save';
import { configuration } from '../lib/settings';
import { commandLine, nodeCode, pythonCode, webCode } from '../lib/snippets';
import type { Quantizer } from '../state';
import { saveModel } from '../steps/download-step';

function filesOf(record: RunRecord): { name: string; blob: Blob }[] {
  const { name, result, inputs } = record;
  const stem = name.replace(/\.onnx$/, '');
  const json = (value: unknown) =>
    new Blob([typeof value === 'string' ? value : JSON.stringify(value, null, 2)], {
      type: 'application/json',
    });
  const { calibrationCache, ...report } = result.report;
  return [
    { name, blob: result.model },
    ...(result.externalData
      ? [{ name: result.externalData.name, blob: result.externalData.data }]
      : []),
    { name: `${stem}.report.json`, blob: json(report) },
    { name: `${stem}.config.json`, blob: json(configuration(inputs.settings)) },
    { name: `${stem}.ranges.json`, blob: json(calibrationCache) },
    { name: `${stem}.recipe.md`, blob: new Blob([recipeText(record)], { type: 'text/markdown' }) },
  ];
}

export function Download(props: { record: RunRecord; quantizer: Quantizer }) {
  const { t, bytes } = useText();
  const { record, quantizer } = props;
  const { name, result, inputs } = record;
  const stem = name.replace(/\.onnx$/, '');
  const [zipping, setZipping] = useState(false);
  const files = filesOf(record);
  const one = (ending: string) => files.find((file) => file.name.endsWith(ending))!;
  const saveOne = (ending: string) => {
    const file = one(ending);
    void save(file.blob, file.name);
  };
  async function saveZip(): Promise<void> {
    if (quantizer.engine.status !== 'ready') return;
    setZipping(true);
    try {
      const blob = await askWorker(quantizer.engine.engine.host, { kind: 'page:zip', files });
      if (await save(blob, `${stem}.zip`)) quantizer.markSaved(record.id);
    } finally {
      setZipping(false);
    }
  }
  const same = {
    settings: inputs.settings,
    model: inputs.model.name,
    output: name,
    holdOut: inputs.holdOut,
    samples: inputs.isWhole ? null : inputs.samples.map((sample) => sample.name),
  };
  const input = quantizer.model?.summary?.inputs[0];
  const isPoor = record.verdict.grade === 'unusable' || record.verdict.grade === 'identical';
  return (
    <div class="stack-24">
      <div class="buttons">
        <button
          type="button"
          class={isPoor ? 'button' : 'button primary'}
          onClick={() => saveModel(record, quantizer)}
        >
          {t.download.model}
        </button>
        <button type="button" class="button" disabled={zipping} onClick={saveZip}>
          {zipping ? t.download.zipping : t.download.zip}
        </button>
        <button type="button" class="button" onClick={() => saveOne('.report.json')}>
          {t.download.report}
        </button>
        <button type="button" class="button" onClick={() => saveOne('.config.json')}>
          {t.download.config}
        </button>
        <button type="button" class="button" onClick={() => saveOne('.ranges.json')}>
          {t.download.ranges}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => saveText(recipeText(record), `${stem}.recipe.md`, 'text/markdown')}
        >
          {t.download.recipe}
        </button>
      </div>
      <p class="help">
        {result.externalData && `${t.download.withData(bytes(result.externalData.data.size))} `}
        {t.download.takesBack}{' '}
      </p>
      <div class="buttons">
        <FileButton label={t.download.load} accept=".json" onFiles={quantizer.add} multiple />
      </div>
      <CopyBlock label="SHA-256" text={result.sha256} />
      <h3>{t.download.elsewhere}</h3>
      <p class="help">{t.download.folder}</p>
      <CopyBlock label={t.download.command} text={commandLine(same)} />
      <CopyBlock label="Node" text={nodeCode(same)} />
      <CopyBlock label="Python" text={pythonCode(same, `${stem}.ranges.json`)} />
      {input && (
        <CopyBlock
          label={t.download.run}
          text={webCode(name, {
            name: input.name,
            shape: `${input.type} [${(input.shape ?? []).map((dim) => dim ?? '?').join(', ')}]`,
          })}
        />
      )}
    </div>
  );
}
