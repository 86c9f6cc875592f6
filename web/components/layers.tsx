// Where the error is: a strip of all layers in graph order, and a table of them, worst first, in
// which each can be opened, kept float, or given 16 bits. Up and down move between layers.
import type { Diagnosis, LayerDiagnosis, TensorDiagnosis } from 'onnx-ptq';
import { QuantizeError } from 'onnx-ptq';
import { useState } from 'preact/hooks';
import { gradeOf, LayerStrip } from '../charts/layer-strip';
import { useText } from '../i18n';
import { lines } from '../lib/advanced';
import { noiseOf } from '../lib/layer-advice';
import type { RunRecord } from '../lib/run-record';
import { useAnswer } from '../lib/use-answer';
import type { Quantizer } from '../state';
import { Notice } from './notice';
import { RangeChart } from './range-chart';
import { Said } from './said';
import { WeightChannels } from './weight-channels';

const shownAtFirst = 8;

export function Layers({ record, quantizer }: { record: RunRecord; quantizer: Quantizer }) {
  const { t } = useText();
  const diagnosis = quantizer.diagnoses.get(record.id);
  if (record.verdict.grade === 'identical') return null;
  return (
    <section aria-labelledby="layers-title" class="stack-16">
      <h3 id="layers-title">{t.layers.title}</h3>
      {!diagnosis ? (
        <p class="help" role="status">
          {t.layers.measuring}
        </p>
      ) : diagnosis instanceof QuantizeError ? (
        <Notice
          kind="info"
          title={t.layers.failed}
          message={<Said message={diagnosis.message} parts={diagnosis.messageText} />}
        />
      ) : (
        <Measured diagnosis={diagnosis} record={record} quantizer={quantizer} />
      )}
    </section>
  );
}

interface MeasuredProps {
  diagnosis: Diagnosis;
  record: RunRecord;
  quantizer: Quantizer;
}

function Measured({ diagnosis, record, quantizer }: MeasuredProps) {
  const { t, number } = useText();
  const [order, setOrder] = useState<'worst' | 'graph'>('worst');
  const [open, setOpen] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const layers = diagnosis.layers.filter(({ isQuantized }) => isQuantized);
  const sorted =
    order === 'graph'
      ? layers
      : [...layers].sort((a, b) => noiseOf(b) - noiseOf(a) || own(a) - own(b));
  const shown = all ? sorted : sorted.slice(0, shownAtFirst);
  const move = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0) return;
    const buttons = [...(event.currentTarget as Element).querySelectorAll('button.layer-name')];
    const at = buttons.indexOf(document.activeElement as Element);
    const next = buttons[at + by] as HTMLButtonElement | undefined;
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <>
      <p class="help">{t.layers.lead(number(diagnosis.samples))}</p>
      <LayerStrip
        label={t.layers.strip}
        bars={layers.map((layer) => ({
          key: layer.node,
          decibels: layer.alone ?? layer.own,
          isChosen: layer.node === open,
        }))}
      />
      <fieldset class="segments">
        <legend class="hidden">{t.layers.order}</legend>
        {(['worst', 'graph'] as const).map((one) => (
          <button
            key={one}
            type="button"
            class="segment"
            aria-pressed={order === one}
            onClick={() => setOrder(one)}
          >
            {t.layers.orders[one]}
          </button>
        ))}
      </fieldset>
      <div class="table">
        <table class="layer-table" onKeyDown={move}>
          <thead>
            <tr>
              <th scope="col">{t.layers.layer}</th>
              <th scope="col">{t.layers.alone}</th>
              <th scope="col">{t.layers.accumulated}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((layer) => (
              <Row
                key={layer.node}
                layer={layer}
                tensor={diagnosis.tensors.find(({ tensor }) => tensor === layer.tensor)}
                isOpen={open === layer.node}
                onToggle={() => setOpen(open === layer.node ? null : layer.node)}
                record={record}
                quantizer={quantizer}
              />
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > shown.length && (
        <button type="button" class="button start" onClick={() => setAll(true)}>
          {t.layers.showAll(sorted.length)}
        </button>
      )}
    </>
  );
}

const own = (layer: LayerDiagnosis) => layer.own ?? Infinity;

interface RowProps {
  layer: LayerDiagnosis;
  tensor: TensorDiagnosis | undefined;
  isOpen: boolean;
  onToggle: () => void;
  record: RunRecord;
  quantizer: Quantizer;
}

function Row({ layer, tensor, isOpen, onToggle, record, quantizer }: RowProps) {
  const { t } = useText();
  const kept = lines(quantizer.settings.nodesToExclude).includes(layer.node);
  return (
    <>
      <tr data-open={isOpen}>
        <th scope="row">
          <button type="button" class="layer-name" aria-expanded={isOpen} onClick={onToggle}>
            <span>{layer.opType}</span> <code>{layer.node}</code>
          </button>
          {kept && <span class="help"> {t.report.keepFloat}</span>}
        </th>
        <td>
          <Decibels value={layer.alone ?? layer.own} />
        </td>
        <td>
          <Decibels value={layer.accumulated} />
        </td>
      </tr>
      {isOpen && (
        <tr class="drawer">
          <td colSpan={3}>
            <Drawer {...{ layer, tensor, record, quantizer }} isKept={kept} />
          </td>
        </tr>
      )}
    </>
  );
}

function Decibels({ value }: { value: number | null }) {
  const { t, decibels } = useText();
  if (value === null) return <span class="help">{t.report.notMeasured}</span>;
  return (
    <span class={`decibels ${gradeOf(value)}`}>
      {decibels(value)}
      <span class="meter" aria-hidden="true">
        <span style={{ width: `${Math.max(2, 100 - (100 * Math.max(0, value)) / 60)}%` }} />
      </span>
    </span>
  );
}

function Drawer(props: Omit<RowProps, 'isOpen' | 'onToggle'> & { isKept: boolean }) {
  const { t, number, bytes, causeText } = useText();
  const { layer, tensor, record, quantizer, isKept } = props;
  const { settings, change } = quantizer;
  const facts: [string, string][] = [
    [t.layers.tensor, layer.tensor],
    [t.layers.weights, bytes(layer.weightBytes)],
    ...(tensor
      ? ([
          [t.layers.scale, `${+tensor.scale.toPrecision(4)}, ${tensor.zeroPoint}`],
          [t.layers.clipped, `${number(100 * (tensor.clipped ?? 0), 1)} %`],
        ] as [string, string][])
      : []),
  ];
  const keep = () => {
    const names = new Set(lines(settings.nodesToExclude));
    if (!names.delete(layer.node)) names.add(layer.node);
    change({ nodesToExclude: [...names].join('\n') });
  };
  const overrides = (values: object) =>
    withOverride(settings.advanced.TensorQuantOverrides, layer.tensor, values);
  const override = (values: object) => {
    const entered = overrides(values);
    if (entered === null) return;
    change({ advanced: { ...settings.advanced, TensorQuantOverrides: entered } });
  };
  const mayOverride = settings.quantFormat === 'QDQ' && overrides({}) !== null;
  return (
    <div class="stack-16">
      {layer.cause && (
        <div>
          <p>{causeText(layer.cause.code).what ?? <span lang="en">{layer.cause.text}</span>}</p>
          <p class="help">
            {causeText(layer.cause.code).remedy ?? <span lang="en">{layer.cause.remedy}</span>}
          </p>
        </div>
      )}
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {layer.weightBytes > 0 && (
        <Channels node={layer.node} record={record} quantizer={quantizer} />
      )}
      {tensor?.observed && (
        <Observed
          tensor={tensor}
          quantizer={quantizer}
          onChoose={mayOverride ? ([rmin, rmax]) => override({ rmin, rmax }) : null}
        />
      )}
      <div class="buttons">
        <button type="button" class="button" aria-pressed={isKept} onClick={keep}>
          {isKept ? t.layers.quantizeAgain : t.layers.keepFloat}
        </button>
        {mayOverride && (
          <button type="button" class="button" onClick={() => override({ quant_type: 'QUInt16' })}>
            {t.layers.sixteen}
          </button>
        )}
      </div>
    </div>
  );
}

/** Of the layer's weight, asked for when it is looked at. */
function Channels(props: { node: string; record: RunRecord; quantizer: Quantizer }) {
  const { node, record, quantizer } = props;
  const answer = useAnswer(() => quantizer.channels(record, node), [node, record.result]);
  return answer.status === 'there' && answer.value ? (
    <WeightChannels channels={answer.value} />
  ) : null;
}

/** What the float model has there, asked for when it is looked at. */
function Observed(props: {
  tensor: TensorDiagnosis;
  quantizer: Quantizer;
  onChoose: ((range: [number, number]) => void) | null;
}) {
  const { t } = useText();
  const { tensor, quantizer, onChoose } = props;
  const answer = useAnswer(() => quantizer.observe(tensor.tensor), [tensor]);
  if (answer.status === 'waiting') return <p class="help">{t.layers.observing}</p>;
  if (answer.status === 'failed') return null; // the figures above say what is known
  const { value } = answer;
  return (
    <RangeChart
      tensor={tensor}
      observation={value}
      onChoose={onChoose && ((method) => onChoose(value.ranges[method]!))}
    />
  );
}

/** The overrides with those of one tensor more; null where they cannot be read or it has some. */
function withOverride(entered: unknown, tensor: string, values: object): string | null {
  try {
    const overrides = JSON.parse(typeof entered === 'string' && entered ? entered : '{}');
    if (tensor in overrides) return null;
    return JSON.stringify({ ...overrides, [tensor]: [values] });
  } catch {
    return null;
  }
}
