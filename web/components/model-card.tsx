// The model: where to drop it, and what it is once it was read.
import type { ModelSummary, ValueSummary } from 'onnx-ptq';
import { useText } from '../i18n';
import type { Quantizer } from '../state';
import { Card } from './card';
import { FileButton } from './file-button';
import { ErrorNotice, Notice } from './notice';

const shownOps = 8;

export function ModelCard({ quantizer }: { quantizer: Quantizer }) {
  const { t, bytes } = useText();
  const { model, engine, external, others, add } = quantizer;
  if (!model) {
    return (
      <Card id="model" title={t.model.title}>
        <div class="drop">
          <p>{t.drop.model}</p>
          <div class="buttons">
            <FileButton label={t.drop.chooseModel} onFiles={add} multiple />
            <button
              type="button"
              class="button quiet"
              disabled={engine.status !== 'ready'}
              onClick={quantizer.useExample}
            >
              {t.run.tryExample}
            </button>
          </div>
          <p class="help">{t.run.exampleHelp}</p>
        </div>
      </Card>
    );
  }
  return (
    <Card
      id="model"
      title={t.model.title}
      done={model.summary !== null}
      aside={<FileButton quiet label={t.model.change} onFiles={add} multiple />}
    >
      <p class="file">
        <strong>{model.file.name}</strong> <span>{bytes(model.file.size)}</span>
      </p>
      {model.error && <ErrorNotice error={model.error} />}
      {!model.error && !model.summary && (
        <p class="help" role="status">
          {engine.status === 'ready' ? t.model.reading : t.model.waiting}
        </p>
      )}
      {model.summary && <Summary summary={model.summary} />}
      {external.missing.length > 0 && (
        <Notice kind="warning" title={t.model.externalMissing(external.missing.join(', '))}>
          <FileButton label={t.drop.chooseFiles} onFiles={add} multiple />
        </Notice>
      )}
      {model.summary?.alreadyQuantized && <Notice kind="info" title={t.model.alreadyQuantized} />}
      {others.length > 0 && (
        <p class="help">{t.drop.ignored(others.map((file) => file.name).join(', '))}</p>
      )}
    </Card>
  );
}

function Summary({ summary }: { summary: ModelSummary }) {
  const { t, number, count } = useText();
  const ops = Object.entries(summary.opTypes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const facts: [string, string][] = [
    [t.model.nodes, number(summary.nodes)],
    [t.model.parameters, count(summary.parameters)],
    [t.model.opset, `${summary.opset}`],
    [t.model.irVersion, `${summary.irVersion}`],
  ];
  if (summary.producer) facts.push([t.model.producer, summary.producer]);
  return (
    <div class="summary">
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
        {ops.slice(0, shownOps).map(([opType, nodes]) => (
          <li key={opType}>
            {opType} <b>{number(nodes)}</b>
          </li>
        ))}
        {ops.length > shownOps && <li class="plain">{t.model.moreOps(ops.length - shownOps)}</li>}
      </ul>
    </div>
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
