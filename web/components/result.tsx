// What came out: size, nodes, quality, warnings; the downloads; and everything else behind
// disclosures.
import type { Diagnostic } from 'onnx-ptq';
import { useEffect, useRef } from 'preact/hooks';
import { useText } from '../i18n';
import { save } from '../lib/files';
import { commandLine } from '../lib/settings';
import type { Quantizer, RunResult } from '../state';
import { CopyLine } from './copy-line';
import { NodeTables } from './node-tables';
import { Notice } from './notice';
import { SizeBars } from './size-bars';

export function Result({ result, quantizer }: { result: RunResult; quantizer: Quantizer }) {
  const { t } = useText();
  const { report, inputs } = result;
  const download = useRef<HTMLButtonElement>(null);
  useEffect(() => download.current?.focus({ preventScroll: true }), [result]);
  const stale =
    inputs.model !== quantizer.model?.file ||
    inputs.samples !== quantizer.samples ||
    inputs.settings !== quantizer.settings;
  const stem = result.name.replace(/\.onnx$/, '');
  const json = (text: string) => new Blob([text], { type: 'application/json' });
  const saveReport = () => {
    const { calibrationCache: _, ...rest } = report;
    save(json(JSON.stringify(rest, null, 2)), `${stem}.report.json`);
  };
  return (
    <div class="result">
      {stale && <Notice kind="info" title={t.result.stale} />}
      <SizeBars before={report.bytesBefore} after={report.bytesAfter} />
      <Figures result={result} />
      {report.calibration.assumed.includes('normalization') && (
        <Notice kind="info" title={t.result.guessedNormalization} />
      )}
      <Warnings diagnostics={report.diagnostics} quantizer={quantizer} />
      <div class="downloads">
        <button
          ref={download}
          type="button"
          class="button primary"
          onClick={() => save(result.model, result.name)}
        >
          {t.result.download}
        </button>
        {result.externalData && (
          <button
            type="button"
            class="button"
            onClick={() => save(result.externalData!.data, result.externalData!.name)}
          >
            {t.result.downloadData}
          </button>
        )}
        <button type="button" class="button" onClick={saveReport}>
          {t.result.downloadReport}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => save(json(report.calibrationCache), `${stem}.ranges.json`)}
        >
          {t.result.downloadCache}
        </button>
      </div>
      <NodeTables report={report} quantizer={quantizer} />
      <Details result={result} />
    </div>
  );
}

function Figures({ result: { report } }: { result: RunResult }) {
  const { t, number, duration } = useText();
  const { quality, nodesQuantized, nodesLeftFloat, timings } = report;
  const all = nodesQuantized.length + nodesLeftFloat.length;
  const sqnr = quality.sqnr;
  const broken = quality.outputs.some((output) => output.broken);
  const compared = quality.outputs.filter((output) => output.compared > 0);
  const exact = compared.length > 0 && compared.every((output) => output.exact);
  const grade = broken
    ? 'bad'
    : exact
      ? 'good'
      : sqnr === null
        ? ''
        : sqnr < 10
          ? 'bad'
          : sqnr < 20
            ? 'fair'
            : 'good';
  return (
    <dl class="figures">
      <div>
        <dt>{t.result.nodes}</dt>
        <dd>
          {number(nodesQuantized.length)}
          <small> / {number(all)}</small>
        </dd>
      </div>
      <div data-grade={grade} title={t.result.sqnrHelp}>
        <dt>{t.result.sqnr}</dt>
        <dd>
          {sqnr === null ? (
            <small>{broken ? 'NaN' : exact ? t.result.exact : t.result.notMeasured}</small>
          ) : (
            <>
              {number(sqnr, 1)}
              <small> dB</small>
            </>
          )}
        </dd>
      </div>
      {quality.top1 && (
        <div title={t.result.top1Help}>
          <dt>{t.result.top1}</dt>
          <dd>
            {number(quality.top1.agree)}
            <small> / {number(quality.top1.of)}</small>
          </dd>
        </div>
      )}
      <div>
        <dt>{t.result.time}</dt>
        <dd>{duration(timings.total / 1000)}</dd>
      </div>
    </dl>
  );
}

function Warnings(props: { diagnostics: Diagnostic[]; quantizer: Quantizer }) {
  const { t, diagnosticTitle } = useText();
  const warnings = props.diagnostics.filter(({ severity }) => severity === 'warning');
  const notes = props.diagnostics.filter(({ severity }) => severity !== 'warning');
  const { settings, start, blocker } = props.quantizer;
  const improvable = !settings.perChannel || settings.weightType !== 'QInt8';
  const show = (diagnostic: Diagnostic, i: number) => {
    const title = diagnosticTitle(diagnostic.code);
    const poor = diagnostic.code === 'POOR_QUALITY';
    return (
      <Notice
        key={i}
        kind={diagnostic.severity}
        title={title ?? diagnostic.message}
        message={title && diagnostic.message}
        place={[diagnostic.node, diagnostic.tensor].filter(Boolean).join(', ') || undefined}
        hint={poor ? undefined : diagnostic.hint}
      >
        {/* The library's own hint names flags of the command line. */}
        {poor && <p class="hint">{t.diagnostics.POOR_QUALITY_HINT}</p>}
        {poor && improvable && (
          <button
            type="button"
            class="button"
            disabled={blocker !== null}
            onClick={() => start({ perChannel: true, weightType: 'QInt8' })}
          >
            {t.result.retry}
          </button>
        )}
      </Notice>
    );
  };
  return (
    <>
      {warnings.length > 0 && (
        <section class="notices" aria-label={t.result.warnings}>
          {warnings.map(show)}
        </section>
      )}
      {notes.length > 0 && (
        <details class="more">
          <summary>{t.result.notes(notes.length)}</summary>
          {notes.map(show)}
        </details>
      )}
    </>
  );
}

function Details({ result }: { result: RunResult }) {
  const { t, duration } = useText();
  const { report, inputs } = result;
  const stages = Object.entries(report.timings).filter(([stage]) => stage !== 'total');
  const names: Record<string, string> = t.run.stages;
  const times = stages.map(([stage, ms]) => `${names[stage]} ${duration(ms / 1000)}`);
  return (
    <details class="more">
      <summary>{t.result.details}</summary>
      <dl class="details">
        {result.sha256 && <CopyLine label={t.result.sha256} text={result.sha256} />}
        <dt>{t.result.opset}</dt>
        <dd>
          {report.opsetBefore} → {report.opsetAfter}
        </dd>
        <dt>{t.result.samples}</dt>
        <dd lang="en">{report.calibration.done}</dd>
        {report.calibration.assumed.length > 0 && (
          <>
            <dt>{t.result.guessed}</dt>
            <dd>
              {report.calibration.assumed.map((what) => t.result.assumptions[what]).join(', ')}
            </dd>
          </>
        )}
        <dt>{t.result.timings}</dt>
        <dd>{times.join(', ')}</dd>
        <CopyLine
          label={t.result.command}
          text={commandLine(inputs.settings, inputs.model.name, result.name)}
        />
      </dl>
    </details>
  );
}
