// Places for a drawing of a graph: chains of nodes that only feed each other become one box, a box
// is one row below the lowest that it reads, and in the nearest free column. Linear in nodes.
import type { GraphNode } from 'onnx-ptq';

export interface GraphBox {
  /** Places of its nodes in the graph, in order. */
  nodes: number[];
  row: number;
  column: number;
  /** Boxes that it reads. */
  from: number[];
}

export interface GraphLayout {
  boxes: GraphBox[];
  rows: number;
  columns: number;
}

/** `nodes`: sorted, as ONNX wants graphs; what reads a later node is placed as if it did not. */
export function layOut(nodes: readonly GraphNode[]): GraphLayout {
  const producer = new Map<string, number>();
  for (const [i, node] of nodes.entries()) {
    for (const output of node.outputs) if (output) producer.set(output, i);
  }
  // Constants are weights of another form.
  const isDrawn = nodes.map(({ opType }) => opType !== 'Constant');
  const readers = new Array<number>(nodes.length).fill(0);
  const reads = nodes.map(({ inputs }, i) => {
    const made = inputs.map((input) => producer.get(input)).filter((at) => at !== undefined);
    return [...new Set(made)].filter((at) => at < i && isDrawn[at]);
  });
  for (const [i, made] of reads.entries()) if (isDrawn[i]) for (const at of made) readers[at]!++;

  const boxes: GraphBox[] = [];
  const boxOf = new Array<number>(nodes.length).fill(-1);
  for (const [i, made] of reads.entries()) {
    if (!isDrawn[i]) continue;
    const [only] = made;
    if (made.length === 1 && readers[only!] === 1) {
      boxOf[i] = boxOf[only!]!;
      boxes[boxOf[i]]!.nodes.push(i);
      continue;
    }
    boxOf[i] = boxes.length;
    const from = [...new Set(made.map((at) => boxOf[at]!))];
    boxes.push({ nodes: [i], row: 0, column: 0, from });
  }
  return place(boxes);
}

function place(boxes: GraphBox[]): GraphLayout {
  /** By row: the nearest column from one on that may be free. */
  const next: Map<number, number>[] = [];
  const freeFrom = (row: Map<number, number>, column: number): number => {
    let free = column;
    while (row.has(free)) free = row.get(free)!;
    // Shorter the next time.
    for (let at = column; at !== free; ) {
      const after = row.get(at)!;
      row.set(at, free);
      at = after;
    }
    row.set(free, free + 1);
    return free;
  };
  let columns = 0;
  for (const box of boxes) {
    let parent: GraphBox | null = null;
    for (const at of box.from) {
      const other = boxes[at]!;
      if (other.row + 1 > box.row) box.row = other.row + 1;
      if (parent === null || other.column < parent.column) parent = other;
    }
    next[box.row] ??= new Map();
    box.column = freeFrom(next[box.row]!, parent?.column ?? 0);
    columns = Math.max(columns, box.column + 1);
  }
  return { boxes, rows: next.length, columns };
}
