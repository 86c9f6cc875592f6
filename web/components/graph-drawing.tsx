// The model as a drawing: what is folded away, what becomes int8 and what stays float, or how much
// noise each part makes. A box is pressed for its nodes, which are listed below it.
import type { GraphNode, QuantizeError } from 'onnx-ptq';
import { useState } from 'preact/hooks';
import { gradeOf } from '../charts/layer-strip';
import { useText } from '../i18n';
import { type GraphBox, layOut } from '../lib/graph-layout';
import { useAnswer } from '../lib/use-answer';
import type { Quantizer } from '../state';
import { Said } from './said';

const width = 192;
const height = 48;
const gap = 24;
/** More boxes help nobody. */
const most = 400;

export type NodeKind = 'quantized' | 'folded' | 'float';

export interface NodeFacts {
  kind: NodeKind;
  /** Noise of the layer, in dB. */
  decibels?: number | null | undefined;
}

interface Props {
  quantizer: Quantizer;
  factsOf: (name: string) => NodeFacts;
}

/** Closed until it is asked for: a graph has to be fetched for it. */
export function GraphDetails(props: Props) {
  const { t } = useText();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{t.graph.title}</summary>
      {isOpen && <Fetched {...props} />}
    </details>
  );
}

function Fetched({ quantizer, factsOf }: Props) {
  const { t } = useText();
  const { session } = quantizer;
  const answer = useAnswer(
    () => session?.graph() ?? Promise.reject(new Error(t.graph.later)),
    [session],
  );
  if (answer.status === 'waiting') return <p class="help">{t.graph.making}</p>;
  if (answer.status === 'failed') {
    const { message, messageText } = answer.error as QuantizeError;
    return (
      <p class="help">
        <Said message={message} parts={messageText} />
      </p>
    );
  }
  return <Drawing nodes={answer.value} factsOf={factsOf} />;
}

function Drawing({ nodes, factsOf }: { nodes: GraphNode[]; factsOf: Props['factsOf'] }) {
  const { t, number } = useText();
  const [chosen, setChosen] = useState<number | null>(null);
  const { boxes, rows, columns } = layOut(nodes);
  if (boxes.length > most) return <p class="help">{t.graph.tooLarge(number(boxes.length))}</p>;
  const size = { width: columns * (width + gap) + 2 * gap, height: rows * (height + gap) };
  const left = ({ column }: GraphBox) => column * (width + gap);
  const top = ({ row }: GraphBox) => row * (height + gap);
  const box = chosen === null ? null : boxes[chosen]!;
  return (
    <div class="stack-16">
      <p class="help">{t.graph.lead}</p>
      <ul class="legend">
        {(['quantized', 'folded', 'float'] as const).map((kind) => (
          <li key={kind} data-part={kind}>
            <span class="swatch" aria-hidden="true" />
            {t.model.parts[kind]}
          </li>
        ))}
      </ul>
      <section class="graph" aria-label={t.graph.title}>
        <div style={{ width: `${size.width}px`, height: `${size.height}px` }}>
          <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
            {boxes.flatMap((to, i) =>
              to.from.map((at) => (
                <path
                  key={`${at} ${i}`}
                  class="edge"
                  data-chosen={chosen === at || chosen === i}
                  d={edge(boxes[at]!, to, left, top)}
                />
              )),
            )}
          </svg>
          {boxes.map((one, i) => (
            <BoxButton
              key={one.nodes[0]}
              nodes={one.nodes.map((at) => nodes[at]!)}
              factsOf={factsOf}
              isChosen={chosen === i}
              style={{ left: `${left(one)}px`, top: `${top(one)}px` }}
              onPress={() => setChosen(chosen === i ? null : i)}
            />
          ))}
        </div>
      </section>
      {box && <NodesOf nodes={box.nodes.map((at) => nodes[at]!)} factsOf={factsOf} />}
    </div>
  );
}

/** Straight down to the next row; past other rows in a bow on the right. */
function edge(
  from: GraphBox,
  to: GraphBox,
  left: (box: GraphBox) => number,
  top: (box: GraphBox) => number,
): string {
  const rows = to.row - from.row;
  if (rows === 1) {
    const [x1, y1] = [left(from) + width / 2, top(from) + height];
    const [x2, y2] = [left(to) + width / 2, top(to)];
    return `M${x1} ${y1}C${x1} ${y1 + gap / 2} ${x2} ${y2 - gap / 2} ${x2} ${y2}`;
  }
  const [x1, y1] = [left(from) + width, top(from) + height / 2];
  const [x2, y2] = [left(to) + width, top(to) + height / 2];
  const bow = gap + 4 * Math.min(rows, 6);
  return `M${x1} ${y1}C${x1 + bow} ${y1} ${x2 + bow} ${y2} ${x2} ${y2}`;
}

/** "Conv, Clip ×3" */
function titleOf(nodes: readonly GraphNode[]): string {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts].map(([opType, n]) => (n > 1 ? `${opType} ×${n}` : opType)).join(', ');
}

const nameOf = ({ name, outputs }: GraphNode) => name || outputs[0] || '';

function worstOf(facts: readonly NodeFacts[]): number | null {
  const known = facts.map(({ decibels }) => decibels).filter((value) => typeof value === 'number');
  return known.length > 0 ? Math.min(...known) : null;
}

function BoxButton(props: {
  nodes: GraphNode[];
  factsOf: Props['factsOf'];
  isChosen: boolean;
  style: Record<string, string>;
  onPress: () => void;
}) {
  const { t, decibels } = useText();
  const { nodes, isChosen, style, onPress } = props;
  const facts = nodes.map((node) => props.factsOf(nameOf(node)));
  const counts = { quantized: 0, folded: 0, float: 0 };
  for (const { kind } of facts) counts[kind]++;
  const worst = worstOf(facts);
  const kinds = Object.entries(counts).filter(([, n]) => n > 0) as [NodeKind, number][];
  const words = kinds.map(([kind, n]) => `${n} ${t.model.parts[kind]}`).join(', ');
  const title = titleOf(nodes);
  return (
    <button
      type="button"
      class="graph-box"
      style={style}
      aria-pressed={isChosen}
      title={title}
      onClick={onPress}
    >
      <span class="graph-title">{title}</span>
      {worst !== null && <span class={`graph-noise ${gradeOf(worst)}`}>{decibels(worst)}</span>}
      <span class="hidden">{words}</span>
      <span class="stack" aria-hidden="true">
        {kinds.map(([kind, n]) => (
          <span key={kind} data-part={kind} style={{ flexGrow: n }} />
        ))}
      </span>
    </button>
  );
}

function NodesOf({ nodes, factsOf }: { nodes: GraphNode[]; factsOf: Props['factsOf'] }) {
  const { t, decibels } = useText();
  const hasNoise = nodes.some((node) => typeof factsOf(nameOf(node)).decibels === 'number');
  return (
    <div class="table" role="status">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.report.type}</th>
            <th scope="col">{t.report.node}</th>
            <th scope="col">{t.graph.becomes}</th>
            {hasNoise && <th scope="col">{t.layers.alone}</th>}
          </tr>
        </thead>
        <tbody>
          {nodes.slice(0, 100).map((node) => {
            const facts = factsOf(nameOf(node));
            return (
              <tr key={nameOf(node)}>
                <td>{node.opType}</td>
                <td>
                  <code>{nameOf(node)}</code>
                </td>
                <td>{t.model.parts[facts.kind]}</td>
                {hasNoise && (
                  <td>{typeof facts.decibels === 'number' ? decibels(facts.decibels) : '–'}</td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
