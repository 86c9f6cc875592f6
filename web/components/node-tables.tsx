// Which nodes were quantized, to keep some of them float the next time, and which were not, with
// the reasons.
import type { QuantizationReport, TextParts } from 'onnx-ptq';
import type { ComponentChildren } from 'preact';
import { useText } from '../i18n';
import { lines } from '../lib/advanced';
import type { Quantizer } from '../state';
import { Said } from './said';

// A table of ten thousand rows would stop the page; the report has them all.
const most = 500;

type Row = { name: string; opType: string; reason?: string; reasonText?: TextParts | undefined };

export function NodeTables(props: { report: QuantizationReport; quantizer: Quantizer }) {
  const { t } = useText();
  const { nodesLeftFloat, nodesQuantized } = props.report;
  const { settings, change } = props.quantizer;
  const excluded = new Set(lines(settings.nodesToExclude));
  const exclude = (name: string) => {
    if (!excluded.delete(name)) excluded.add(name);
    change({ nodesToExclude: [...excluded].join('\n') });
  };
  return (
    <>
      {nodesLeftFloat.length > 0 && (
        <details>
          <summary>{t.report.leftFloat(nodesLeftFloat.length)}</summary>
          <Rows
            title={t.report.leftFloat(nodesLeftFloat.length)}
            rows={nodesLeftFloat}
            heading={t.report.reason}
            cell={({ reason = '', reasonText }) => <Said message={reason} parts={reasonText} />}
          />
        </details>
      )}
      {nodesQuantized.length > 0 && (
        <details>
          <summary>{t.report.quantizedNodes(nodesQuantized.length)}</summary>
          <Rows
            title={t.report.quantizedNodes(nodesQuantized.length)}
            rows={nodesQuantized}
            heading={t.report.keepFloat}
            cell={({ name }) => (
              <input
                type="checkbox"
                aria-label={t.report.keepFloatOf(name)}
                checked={excluded.has(name)}
                onChange={() => exclude(name)}
              />
            )}
          />
        </details>
      )}
    </>
  );
}

/** Type, node, and a column of the caller's. */
function Rows(props: {
  title: string;
  rows: Row[];
  heading: string;
  cell: (row: Row) => ComponentChildren;
}) {
  const { t } = useText();
  const { title, rows, heading, cell } = props;
  return (
    // Focusable, so that a keyboard can scroll it.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region
    <section class="table" tabIndex={0} aria-label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t.report.type}</th>
            <th scope="col">{t.report.node}</th>
            <th scope="col">{heading}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((row, i) => (
            <tr key={`${i} ${row.name}`}>
              <td>{row.opType}</td>
              <td>
                <code>{row.name}</code>
              </td>
              <td>{cell(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && <p class="help">+{rows.length - most}</p>}
    </section>
  );
}
