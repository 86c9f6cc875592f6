// All runs of this visit: nothing is lost by another run or by a cancelled one. Two can be pinned
// and are then shown side by side.
import { useState } from 'preact/hooks';
import { useText } from '../i18n';
import { differences, type RunRecord } from '../lib/run-record';
import { libraryDefaults } from '../lib/settings';
import type { Quantizer } from '../state';
import { VerdictBadge } from './verdict-badge';

export function RunList({ quantizer }: { quantizer: Quantizer }) {
  const { t, decibels, bytes, number } = useText();
  const { runs, shown, show } = quantizer;
  const [pinned, setPinned] = useState<readonly number[]>([]);
  if (runs.length < 2) return null;
  const pin = (id: number) =>
    setPinned((old) =>
      old.includes(id) ? old.filter((one) => one !== id) : [...old, id].slice(-2),
    );
  const before = (index: number) => runs[index - 1]?.inputs.settings ?? libraryDefaults;
  const pair = pinned
    .map((id) => runs.find((run) => run.id === id))
    .filter((run): run is RunRecord => run !== undefined);
  const agree = ({ verdict: { agreement } }: RunRecord) =>
    agreement ? t.report.of(number(agreement.agree), number(agreement.of)) : '–';
  return (
    <section aria-labelledby="runs-title">
      <h3 id="runs-title">{t.runs.title}</h3>
      <ul class="runs">
        {runs.map((record, index) => {
          const changes = differences(record.inputs.settings, before(index));
          const { verdict, result, id } = record;
          return (
            <li key={id} data-shown={record === shown}>
              <button
                type="button"
                class="run-pick"
                aria-pressed={record === shown}
                onClick={() => show(id)}
              >
                <b>{t.runs.name(id)}</b>
                <VerdictBadge grade={verdict.grade} />
                <span>{verdict.sqnr === null ? '' : decibels(verdict.sqnr)}</span>
                <span>{bytes(result.report.bytesAfter)}</span>
                <span class="help">
                  {changes.length > 0 ? changes.slice(0, 4).join(', ') : t.runs.sameSettings}
                </span>
              </button>
              <button
                type="button"
                class="button"
                aria-pressed={pinned.includes(id)}
                aria-label={`${t.runs.pin}: ${t.runs.name(id)}`}
                onClick={() => pin(id)}
              >
                {t.runs.pin}
              </button>
            </li>
          );
        })}
      </ul>
      {pair.length === 2 && (
        <div class="table">
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">
                  <span class="hidden">{t.report.figure}</span>
                </th>
                {pair.map(({ id }) => (
                  <th key={id} scope="col">
                    {t.runs.name(id)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{t.report.verdict}</th>
                {pair.map((run) => (
                  <td key={run.id}>
                    <VerdictBadge grade={run.verdict.grade} />
                  </td>
                ))}
              </tr>
              <tr>
                <th scope="row">{t.report.sqnr}</th>
                {pair.map(({ id, verdict }) => (
                  <td key={id}>{verdict.sqnr === null ? '–' : decibels(verdict.sqnr)}</td>
                ))}
              </tr>
              <tr>
                <th scope="row">{t.report.agreement}</th>
                {pair.map((run) => (
                  <td key={run.id}>{agree(run)}</td>
                ))}
              </tr>
              <tr>
                <th scope="row">{t.report.size}</th>
                {pair.map(({ id, result }) => (
                  <td key={id}>{bytes(result.report.bytesAfter)}</td>
                ))}
              </tr>
              <tr>
                <th scope="row">{t.runs.differs}</th>
                <td colSpan={2}>
                  <code>
                    {differences(pair[1]!.inputs.settings, pair[0]!.inputs.settings).join(', ') ||
                      t.runs.sameSettings}
                  </code>
                </td>
              </tr>
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
