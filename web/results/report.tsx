// Step 6, open: the verdict first, then the figures of the float model beside those of the
// quantized one, what would be better, and the runs so far.
import type { Diagnosis, Diagnostic, Latency, QuantizationReport } from 'onnx-ptq';
import { useMemo } from 'preact/hooks';
import { GraphDetails, type NodeFacts } from '../components/graph-drawing';
import { Layers } from '../components/layers';
import { useMendText } from '../components/mend-text';
import { NodeTables } from '../components/node-tables';
import { DiagnosticNotice, Notice } from '../components/notice';
import { RunList } from '../components/run-list';
import { VerdictBadge } from '../components/verdict-badge';
import { useText } from '../i18n';
import { mendsOf } from '../lib/mends';
import type { RunRecord } from '../lib/run-record';
import type { Quantizer } from '../state';
import { Headline } from '../steps/report-step';

export function Report({ record, quantizer }: { record: RunRecord; quantizer: Quantizer }) {
  const { t } = useText();
  const { report } = record.result;
  const { search } = quantizer;
  const isSearching = search?.id === record.id;
  const diagnosis = quantizer.diagnoses.get(record.id);
  const factsOf = useMemo(
    () => factsOfReport(report, diagnosis && 'layers' in diagnosis ? diagnosis : null),
    [report, diagnosis],
  );
  return (
    <div class="stack-24 result" data-run={record.id} data-whole={record.isWhole}>
      {quantizer.isStale && <Notice kind="info" title={t.report.stale} />}
      <Banner record={record} />
      {isSearching && <Notice kind="info" title={t.report.searching(search.tried)} />}
      <Figures
        record={record}
        latency={quantizer.latencies.get(record.id)}
        isMeasuring={!record.isWhole && !isSearching}
      />
      {report.calibration.assumed.includes('normalization') && (
        <Notice kind="info" title={t.report.guessedNormalization} />
      )}
      {!isSearching && <Mends record={record} quantizer={quantizer} />}
      <Layers record={record} quantizer={quantizer} />
      <Effort record={record} />
      <RunList quantizer={quantizer} />
      <Warnings diagnostics={report.diagnostics} />
      <GraphDetails quantizer={quantizer} factsOf={factsOf} />
      <NodeTables report={report} quantizer={quantizer} />
    </div>
  );
}

/** What became of a node, by name; what is in no list was folded into others. */
function factsOfReport(report: QuantizationReport, diagnosis: Diagnosis | null) {
  const quantized = new Set(report.nodesQuantized.map(({ name }) => name));
  const float = new Set(report.nodesLeftFloat.map(({ name }) => name));
  const noise = new Map(diagnosis?.layers.map((one) => [one.node, one.alone ?? one.own]));
  return (name: string): NodeFacts => ({
    kind: quantized.has(name) ? 'quantized' : float.has(name) ? 'float' : 'folded',
    decibels: noise.get(name),
  });
}

function Banner({ record }: { record: RunRecord }) {
  const { t } = useText();
  const { grade } = record.verdict;
  return (
    <div class="banner" data-grade={grade}>
      <VerdictBadge grade={grade} />
      <div class="banner-text">
        <p class="headline">
          <Headline record={record} />
        </p>
        <p>{t.report.meaning[grade]}</p>
      </div>
    </div>
  );
}

/** Float beside int8. */
function Figures(props: {
  record: RunRecord;
  latency: Latency | undefined;
  /** Whether what is shown is from the first samples, and the others are being run. */
  isMeasuring: boolean;
}) {
  const { record, latency, isMeasuring } = props;
  const { t, bytes, number, decibels, duration } = useText();
  const { verdict, result } = record;
  const { report } = result;
  const all = report.nodesQuantized.length + report.nodesLeftFloat.length;
  const latencyText = ({ float, quantized, runs }: Latency) => {
    const times = number(Math.max(float / quantized, quantized / float), 1);
    const compared = float >= quantized ? t.report.faster(times) : t.report.slower(times);
    return t.report.latencyHelp(runs, times === number(1, 1) ? t.report.asFast : compared);
  };
  const { agreement } = verdict;
  const rows: [string, string, string, (string | undefined)?][] = [
    [t.report.size, bytes(report.bytesBefore), bytes(report.bytesAfter)],
    [
      t.report.latency,
      latency ? duration(latency.float / 1000) : '…',
      latency ? duration(latency.quantized / 1000) : '…',
      latency && latencyText(latency),
    ],
    ...(agreement
      ? [
          [
            t.report.agreement,
            '–',
            t.report.of(number(agreement.agree), number(agreement.of)),
            t.report.agreementHelp,
          ] as [string, string, string, string],
        ]
      : []),
    [
      t.report.sqnr,
      '–',
      verdict.grade === 'identical'
        ? t.report.exact
        : verdict.sqnr !== null
          ? decibels(verdict.sqnr)
          : verdict.broken
            ? 'NaN'
            : verdict.exact
              ? t.report.exact
              : t.report.notMeasured,
      verdict.grade === 'identical' ? undefined : t.report.sqnrHelp,
    ],
    [t.report.nodes, number(all), t.report.of(number(report.nodesQuantized.length), number(all))],
  ];
  return (
    <div class="table">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">{t.report.figure}</span>
            </th>
            <th scope="col">{t.report.float}</th>
            <th scope="col">{t.report.int8}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, float, int8, help]) => (
            <tr key={name}>
              <th scope="row">
                {name}
                {help && <span class="help">{help}</span>}
              </th>
              <td>{float}</td>
              <td>
                <b>{int8}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="help">
        {report.quality.heldOut
          ? t.report.measuredOnHeld(number(report.quality.samples))
          : t.report.measuredOn(number(report.quality.samples))}
        {isMeasuring && ` ${t.report.measuringAll}`}
      </p>
    </div>
  );
}

function Mends({ record, quantizer }: { record: RunRecord; quantizer: Quantizer }) {
  const { t } = useText();
  const textOf = useMendText();
  const mends = mendsOf(record, quantizer.diagnoses.get(record.id));
  const { grade } = record.verdict;
  if (grade === 'good' || grade === 'identical' || mends.length === 0) return null;
  return (
    <section aria-labelledby="mends-title">
      <h3 id="mends-title">{t.report.better}</h3>
      <ul class="mends">
        {mends.map((mend) => (
          <li key={mend.kind}>
            <div>
              <b>{textOf(mend).name}</b>
              <p class="help">{textOf(mend).price}</p>
            </div>
            <button
              type="button"
              class="button"
              aria-label={`${t.report.tryIt}: ${textOf(mend).name}`}
              disabled={quantizer.blocker !== null}
              onClick={() => quantizer.start(mend.change)}
            >
              {t.report.tryIt}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What effort tried, and what that gained. */
function Effort({ record }: { record: RunRecord }) {
  const { t, decibels } = useText();
  const { effort } = record.result.report;
  if (!effort || effort.tried.length === 0) return null;
  const [plain] = effort.tried;
  const best = effort.tried.filter(({ accepted }) => accepted).at(-1) ?? plain!;
  const { repairs } = effort;
  const names = [
    ...(repairs.layerIo ? [t.repairs.layerIo] : []),
    ...(repairs.equalize ? [t.repairs.equalize] : []),
    ...(repairs.correctBiases ? [t.repairs.correctBiases] : []),
    ...(repairs.smooth > 0 ? [t.repairs.smooth] : []),
    ...(repairs.round ? [t.repairs.round] : []),
    ...(Object.keys(repairs.ranges).length > 0 ? [t.repairs.ranges] : []),
    ...(repairs.floatNodes.length > 0 ? [t.repairs.floatNodes(repairs.floatNodes.length)] : []),
  ].join(t.repairs.and);
  const gained =
    best.sqnr !== null && plain!.sqnr !== null ? decibels(best.sqnr - plain!.sqnr, true) : '';
  return (
    <p>
      {names
        ? t.report.effortGained(names, gained, effort.tried.length, effort.held)
        : t.report.effortNothing(effort.tried.length, effort.held)}
    </p>
  );
}

function Warnings({ diagnostics }: { diagnostics: readonly Diagnostic[] }) {
  const { t } = useText();
  // The banner says it already.
  const told = diagnostics.filter(({ code }) => code !== 'POOR_QUALITY');
  const warnings = told.filter(({ severity }) => severity === 'warning');
  const notes = told.filter(({ severity }) => severity !== 'warning');
  const show = (diagnostic: Diagnostic, i: number) => (
    <DiagnosticNotice key={i} diagnostic={diagnostic} />
  );
  return (
    <>
      {warnings.length > 0 && (
        <section class="stack-8" aria-label={t.report.warnings}>
          {warnings.map(show)}
        </section>
      )}
      {notes.length > 0 && (
        <details>
          <summary>{t.report.notes(notes.length)}</summary>
          <div class="stack-8">{notes.map(show)}</div>
        </details>
      )}
    </>
  );
}
