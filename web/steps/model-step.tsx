// Step 1: the model, what it is, and what quantizing will make of it, before anything runs.
import { type ExampleId, index } from 'virtual:example';
import type { ModelInspection, ValueSummary } from 'onnx-ptq';
import { type Part, StackedBar } from '../charts/stacked-bar';
import { FileButton } from '../components/file-button';
import { GraphDetails } from '../components/graph-drawing';
import { ErrorNotice, Notice } from '../components/notice';
import { Said } from '../components/said';
import { useText } from '../i18n';
import { foreignFile } from '../lib/foreign-files';
import { type Outlook, outlookOf } from '../lib/outlook';
import type { Quantizer } from '../state';
import { Step, type StepFrame } from './step';

/** From here on tabs of phones and small machines are ended by the system. */
const muchMemory = 1.5e9;

const exampleIds: ExampleId[] = index.map(([id]) => id);

export function ModelStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t, bytes } = useText();
  const { model, core, external, add } = quantizer;
  const outlook = outlookOf(quantizer);
  return (
    <Step
      {...frame}
      id="model"
      title={t.model.title}
      isReady
      isDone={model?.summary != null && external.missing.length === 0}
      line={model ? <Line quantizer={quantizer} outlook={outlook} /> : t.model.lead}
    >
      <div class="drop">
        <p>{model ? t.drop.otherModel : t.drop.model}</p>
        <div class="buttons">
          <FileButton
            label={model ? t.model.change : t.drop.chooseModel}
            primary={!model}
            onFiles={add}
            multiple
          />
        </div>
        {!model && <Examples quantizer={quantizer} />}
      </div>
      <Foreign quantizer={quantizer} />
      {model && (
        <p class="file">
          <strong>{model.file.name}</strong> <span>{bytes(model.file.size)}</span>
        </p>
      )}
      {model?.error && <ErrorNotice error={model.error} />}
      {model && !model.error && !model.summary && (
        <p class="help" role="status">
          {core ? t.model.reading : t.model.waiting}
        </p>
      )}
      {external.missing.length > 0 && (
        <Notice kind="warning" title={t.model.externalMissing(external.missing.join(', '))}>
          <FileButton label={t.model.chooseData} onFiles={add} multiple />
        </Notice>
      )}
      {model?.summary && outlook && (
        <Summary summary={model.summary} outlook={outlook} quantizer={quantizer} />
      )}
    </Step>
  );
}

function Examples({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const isReady = quantizer.engine.status === 'ready';
  return (
    <ul class="examples">
      {exampleIds.map((id) => (
        <li key={id}>
          <button
            type="button"
            class="button"
            aria-describedby={`example-${id}`}
            disabled={!isReady}
            onClick={() => quantizer.useExample(id)}
          >
            {t.run.examples[id].name}
          </button>
          <span class="help" id={`example-${id}`}>
            {isReady ? t.run.examples[id].help : t.run.exampleLoading}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Line({ quantizer, outlook }: { quantizer: Quantizer; outlook: Outlook | null }) {
  const { t, bytes, number } = useText();
  const { model, core, external } = quantizer;
  if (!model) return null;
  const { file, summary, error } = model;
  if (error) return <span class="bad">{t.model.notRead(file.name)}</span>;
  if (!summary || !outlook) {
    return `${file.name} · ${core ? t.model.reading : t.model.waiting}`;
  }
  if (external.missing.length > 0) {
    return <span class="bad">{t.model.externalMissing(external.missing.join(', '))}</span>;
  }
  const { quantized, folded, float } = outlook.nodes;
  return t.model.line(file.name, bytes(outlook.bytesBefore), bytes(outlook.bytesAfter), {
    quantized: number(quantized),
    folded: number(folded),
    float: number(float),
  });
}

function Summary(props: { summary: ModelInspection; outlook: Outlook; quantizer: Quantizer }) {
  const { t, number, count, bytes } = useText();
  const { summary, outlook, quantizer } = props;
  const { weights, nodes } = outlook;
  const byWeight = weights !== null;
  const amount = byWeight ? bytes : number;
  const shares = weights ?? nodes;
  const parts: Part[] = (['quantized', 'folded', 'float'] as const).map((key) => ({
    key,
    label: t.model.parts[key],
    amount: amount(shares[key]),
    value: shares[key],
  }));
  const ops = Object.entries(summary.opTypes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const facts: [string, string][] = [
    [t.model.nodes, number(summary.nodes)],
    [t.model.parameters, count(summary.parameters)],
    [t.model.opset, `${summary.opset}`],
    [t.model.irVersion, `${summary.irVersion}`],
  ];
  if (summary.producer) facts.push([t.model.producer, summary.producer]);
  const { refused } = outlook;
  if (refused?.code === 'RUNTIME_CANNOT_LOAD') {
    return (
      <div class="summary">
        <ErrorNotice error={refused} />
      </div>
    );
  }
  return (
    <div class="summary stack-16">
      <StackedBar label={byWeight ? t.model.byWeight : t.model.byNodes} parts={parts} />
      <p>
        {t.model.forecast(
          bytes(outlook.bytesBefore),
          bytes(outlook.bytesAfter),
          bytes(outlook.memory),
        )}
      </p>
      {outlook.memory > muchMemory && (
        <Notice kind="warning" title={t.model.muchMemory(bytes(outlook.memory))} />
      )}
      <Blockers outlook={outlook} quantizer={quantizer} />
      {summary.alreadyQuantized && <Notice kind="info" title={t.model.alreadyQuantized} />}
      {outlook.reasons.length > 0 && (
        <details>
          <summary>{t.model.whyFloat(outlook.nodes.float)}</summary>
          <ul class="reasons">
            {outlook.reasons.slice(0, 20).map(({ opType, code, reason, reasonText, count: n }) => (
              <li key={`${opType} ${code}`}>
                <b>
                  {n} × {opType}
                </b>{' '}
                <Said message={reason} parts={reasonText} />
              </li>
            ))}
          </ul>
        </details>
      )}
      <GraphDetails quantizer={quantizer} factsOf={(name) => ({ kind: outlook.kindOf(name) })} />
      <details>
        <summary>{t.model.about2}</summary>
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <dl class="values">
          <dt>{t.model.inputs}</dt>
          <Values values={summary.inputs} />
          <dt>{t.model.outputs}</dt>
          <Values values={summary.outputs} />
        </dl>
        <ul class="chips">
          {ops.map(([opType, nodesOf]) => (
            <li key={opType}>
              {opType} <b>{number(nodesOf)}</b>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

/** What would make a run useless, each with the button that solves it where there is one. */
function Blockers({ outlook, quantizer }: { outlook: Outlook; quantizer: Quantizer }) {
  const { t } = useText();
  const { settings, change } = quantizer;
  const other = settings.quantFormat === 'QDQ' ? 'QOperator' : 'QDQ';
  if (outlook.refused === null && outlook.nodes.quantized > 0) {
    return outlook.customOps.length > 0 ? (
      <Notice kind="info" title={t.model.customOps(outlook.customOps.join(', '))} />
    ) : null;
  }
  const title = outlook.refused ? t.model.refused(settings.quantFormat) : t.model.nothing;
  return (
    <Notice
      kind="warning"
      title={title}
      message={
        outlook.refused && (
          <Said message={outlook.refused.message} parts={outlook.refused.messageText} />
        )
      }
    >
      {outlook.otherQuantizes && (
        <button type="button" class="button" onClick={() => change({ quantFormat: other })}>
          {t.model.useFormat(other)}
        </button>
      )}
    </Notice>
  );
}

/** Files that nothing can be made of, and how to get ONNX from them. */
function Foreign({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { others, dropOthers } = quantizer;
  if (others.length === 0) return null;
  return (
    <Notice kind="warning" title={t.drop.ignored}>
      <ul class="reasons">
        {others.slice(0, 5).map((file) => {
          const { kind, command } = foreignFile(file.name);
          return (
            <li key={file.name}>
              <b>{file.name}</b> {t.foreign[kind]}
              {command && <code class="block">{command}</code>}
            </li>
          );
        })}
        {others.length > 5 && <li>+{others.length - 5}</li>}
      </ul>
      <button type="button" class="button" onClick={dropOthers}>
        {t.run.dismiss}
      </button>
    </Notice>
  );
}

function Values({ values }: { values: ValueSummary[] }) {
  const { t } = useText();
  const shape = ({ shape }: ValueSummary) =>
    shape ? `[${shape.map((dim) => dim ?? '?').join(', ')}]` : t.model.anyShape;
  return (
    <dd>
      {values.slice(0, 4).map((value) => (
        <code key={value.name}>
          {value.name} <span>{`${value.type} ${shape(value)}`}</span>
        </code>
      ))}
      {values.length > 4 && <span class="help">+{values.length - 4}</span>}
    </dd>
  );
}
