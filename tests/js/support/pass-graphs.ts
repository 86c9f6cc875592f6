// Random graphs of the patterns that passes look for, and of what only looks like them: another
// axis, another reader, a constant that broadcasts the other way, a graph output in between.
import { GraphMaker, product, Random } from './graph-maker.js';
import { type Attribute, type Dims, type Graph, withoutUnused } from './onnx-graph.js';

export interface PassGraph {
  graph: Graph;
  opset: number;
}

/** Builds on a tensor and returns what it made; nothing where it does not fit the tensor. */
type Block = (m: GraphMaker, x: string) => string | undefined;

const opsets = [9, 11, 12, 13, 14, 16, 17, 18, 20, 21, 23, 24];
const unary = ['Relu', 'Tanh', 'Sigmoid', 'Neg', 'Abs', 'LeakyRelu', 'Elu', 'Softplus'];
const identity = (rank: number) => Array.from({ length: rank }, (_, i) => i);

/** Something else between two nodes, at times: most passes must then let them be. */
function between(m: GraphMaker, x: string): string {
  return m.random.chance(0.15) ? m.unary(m.random.pick(unary), x) : x;
}

/** Values of that many dimensions that broadcast against `dims` without changing its shape. */
function operand(m: GraphMaker, dims: Dims, make: (dims: Dims) => string): string {
  const rank = m.random.below(dims.length + 1);
  const own = dims.slice(dims.length - rank).map((dim) => (m.random.chance(0.4) ? 1 : dim));
  return make(own);
}

const perChannel = (dims: Dims) => [dims[1] as number, ...dims.slice(2).map(() => 1)];

function affine(m: GraphMaker, x: string, dims: Dims): string {
  const { random } = m;
  const kind = random.pick(['Mul', 'Add', 'Sub', 'Div', 'Mul', 'Add']);
  const make = (own: Dims) => (kind === 'Div' || kind === 'Mul' ? m.positive(own) : m.noise(own));
  const own =
    random.chance(0.6) && dims.length > 1 ? make(perChannel(dims)) : operand(m, dims, make);
  if (kind === 'Add' || kind === 'Mul') return m.either(kind, x, own);
  // Constant - x is no shift of x; constant / x is no scale.
  return kind === 'Sub' && random.chance(0.3) ? m.binary(kind, own, x) : m.binary(kind, x, own);
}

function batchNorm(m: GraphMaker, x: string): string {
  const channels = [m.shape(x)[1] as number];
  const inputs = [
    x,
    m.positive(channels),
    m.noise(channels),
    m.noise(channels),
    m.positive(channels),
  ];
  return m.node('BatchNormalization', inputs, m.shape(x), { epsilon: { float: 0.01 } });
}

/** What follows a linear layer and may become part of it. */
function tail(m: GraphMaker, x: string): string {
  let y = x;
  for (let i = m.random.below(3); i > 0; i--) {
    const dims = m.shape(y);
    y = between(m, y);
    const steps = [() => affine(m, y, dims), () => m.clip(y, 0, 6), () => m.unary('Relu', y)];
    if (dims.length > 1) steps.push(() => batchNorm(m, y));
    y = m.random.pick(steps)();
  }
  return y;
}

const linear: Record<string, Block> = {
  conv(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const { random } = m;
    const [batch, channels, height, width] = dims as [number, number, number, number];
    const size = random.pick([1, 2, 3]);
    let y = x;
    let [h, w] = [height, width];
    let attributes: Record<string, Attribute> = {};
    const padding = random.pick(['node', 'node', 'attribute', 'none']);
    if (padding === 'node') {
      const pads = Array.from({ length: 4 }, () => random.below(2));
      const all = [
        random.chance(0.1) ? 1 : 0,
        0,
        pads[0],
        pads[1],
        0,
        0,
        pads[2],
        pads[3],
      ] as number[];
      const mode = random.chance(0.8) || height < 3 || width < 3 ? 'constant' : 'reflect';
      if (mode === 'reflect') all[0] = 0;
      y = between(m, m.pad(x, all, mode, mode === 'constant' && random.chance(0.2) ? 1 : 0));
      [, , h, w] = m.shape(y) as [number, number, number, number];
    } else if (padding === 'attribute') {
      attributes = { pads: [1, 1, 1, 1] };
      [h, w] = [h + 2, w + 2];
    }
    if (h < size || w < size) return undefined;
    const group = random.chance(0.3) ? channels : 1;
    const out = group === 1 ? 1 + random.below(4) : channels * (1 + random.below(2));
    const fan = size * size * (channels / group);
    const weight = m.noise([out, channels / group, size, size], 1.5 / Math.sqrt(fan));
    const inputs = [y, weight, ...(random.chance(0.5) ? [m.noise([out])] : [])];
    const shape = [m.shape(y)[0] ?? batch, out, h - size + 1, w - size + 1];
    const conv = m.node('Conv', inputs, shape, {
      kernel_shape: [size, size],
      ...(group > 1 && { group }),
      ...attributes,
    });
    return tail(m, conv);
  },
  convTranspose(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const [batch, channels, height, width] = dims as [number, number, number, number];
    const group = m.random.chance(0.3) && channels % 2 === 0 ? 2 : 1;
    const each = 1 + m.random.below(3);
    const weight = m.noise([channels, each, 2, 2], 1 / Math.sqrt(channels));
    const inputs = [x, weight, ...(m.random.chance(0.5) ? [m.noise([each * group])] : [])];
    const shape = [batch, each * group, height + 1, width + 1];
    const attributes = { kernel_shape: [2, 2], ...(group > 1 && { group }) };
    return tail(m, m.node('ConvTranspose', inputs, shape, attributes));
  },
  matMul(m, x) {
    const dims = m.shape(x);
    if (dims.length < 2) return undefined;
    const { random } = m;
    const inner = dims.at(-1) as number;
    const out = 1 + random.below(4);
    const scale = 1.5 / Math.sqrt(inner);
    const before = random.chance(0.3) ? affine(m, x, dims) : x;
    const turned = random.chance(0.2);
    const weight = turned
      ? m.transpose(m.noise([out, inner], scale), [1, 0])
      : m.noise([inner, out], scale);
    const shape = [...dims.slice(0, -1), out];
    const y = m.node('MatMul', [between(m, before), weight], shape);
    const sum = random.chance(0.6) ? m.either('Add', between(m, y), m.noise([out])) : y;
    return tail(m, sum);
  },
  /** Two tensors, one turned: attention. */
  matMulOfTwo(m, x) {
    const dims = m.shape(x);
    if (dims.length < 2) return undefined;
    const rank = dims.length;
    const perm = m.random.chance(0.8) ? [...identity(rank - 2), rank - 1, rank - 2] : undefined;
    const turned = perm ? m.transpose(x, perm) : x;
    if (!perm && dims.at(-1) !== dims.at(-2)) return undefined;
    const side = dims.at(-2) as number;
    const scores = m.node('MatMul', [x, turned], [...dims.slice(0, -1), side]);
    const scaled = m.random.chance(0.5)
      ? m.binary('Div', scores, m.number(2))
      : m.either('Mul', scores, m.number(0.25));
    const masked = m.random.chance(0.5) ? m.either('Add', scaled, m.noise([side])) : scaled;
    const soft = m.unary('Softmax', masked, { axis: rank - 1 });
    return m.node('MatMul', [soft, x], dims);
  },
  gemm(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 2) return undefined;
    const { random } = m;
    const transA = random.chance(0.2);
    const transB = random.chance(0.5);
    const turned = random.chance(0.3) ? m.transpose(x, [1, 0]) : x;
    const [rows, inner] = (transA ? [...m.shape(turned)].reverse() : m.shape(turned)) as [
      number,
      number,
    ];
    const out = 1 + random.below(4);
    const scale = 1.5 / Math.sqrt(inner);
    const weight = m.noise(transB ? [out, inner] : [inner, out], scale);
    const shift = random.pick([[out], [1, out], [rows, 1], [1], []]);
    const shifted = m.opset < 11 || random.chance(0.7); // optional from opset 11 on
    const inputs = [turned, weight, ...(shifted ? [m.noise(shift)] : [])];
    const y = m.node('Gemm', inputs, [rows, out], {
      ...(transA && { transA: 1 }),
      ...(transB && { transB: 1 }),
      ...(random.chance(0.2) && { alpha: { float: 0.5 } }),
      ...(random.chance(0.2) && { beta: { float: 2 } }),
    });
    return tail(m, y);
  },
  /** Behind Reshape, as exporters write a linear layer of rank 3. */
  gemmOfRank3(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 3) return undefined;
    const [batch, rows, inner] = dims as [number, number, number];
    const flat = m.reshape(x, [batch * rows, inner], [-1, inner]);
    const y = linear.gemm?.(m, flat);
    if (y === undefined || m.shape(y).length !== 2 || m.shape(y)[0] !== batch * rows) return y;
    return m.reshape(y, [batch, rows, m.shape(y)[1] as number]);
  },
  norm: (m, x) => (m.shape(x).length > 1 ? tail(m, batchNorm(m, x)) : undefined),
  pool(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const { random } = m;
    const padded = random.chance(0.7)
      ? m.pad(x, [0, 0, 1, 1, 0, 0, 1, 1], 'constant', random.chance(0.2) ? -1 : 0)
      : x;
    const [batch, channels, height, width] = m.shape(padded) as [number, number, number, number];
    if (height < 2 || width < 2) return undefined;
    const shape = [batch, channels, height - 1, width - 1];
    const opType = random.pick(['AveragePool', 'AveragePool', 'MaxPool']);
    const counts = opType === 'AveragePool' && random.chance(0.5);
    return m.node(opType, [padded], shape, {
      kernel_shape: [2, 2],
      ...(counts && { count_include_pad: 1 }),
    });
  },
};

const movement: Record<string, Block> = {
  transposes(m, x) {
    const rank = m.shape(x).length;
    if (rank < 2) return undefined;
    const perm = m.random.shuffle(identity(rank));
    const back = m.random.chance(0.7)
      ? identity(rank).map((i) => perm.indexOf(i))
      : m.random.shuffle(perm);
    let y = m.transpose(x, perm);
    if (m.random.chance(0.5)) y = m.unary(m.random.pick(unary), y);
    if (m.random.chance(0.3)) y = affine(m, y, m.shape(y));
    return m.transpose(y, back);
  },
  reshapes(m, x) {
    const dims = m.shape(x);
    const flat = [product(dims)];
    const middle = m.random.pick([flat, [1, ...dims], [...dims, 1], [1, ...flat]]);
    let y = m.reshape(x, middle);
    if (m.random.chance(0.4)) y = m.unary(m.random.pick(unary), y);
    if (m.random.chance(0.3)) y = m.either('Mul', y, m.positive(m.random.pick([[], [1]])));
    const known = m.random.pick(identity(dims.length + 1));
    return m.reshape(
      y,
      dims,
      dims.map((dim, i) => (i === known ? -1 : dim)),
    );
  },
  squeezes(m, x) {
    const dims = m.shape(x);
    const axis = m.random.below(dims.length + 1);
    const wide = [...dims.slice(0, axis), 1, ...dims.slice(axis)];
    const y = between(m, m.squeeze('Unsqueeze', x, [axis], wide));
    const ones = wide.flatMap((dim, i) => (dim === 1 ? [i] : []));
    const from = m.random.pick(ones);
    return m.squeeze(
      'Squeeze',
      y,
      [from],
      wide.filter((_, i) => i !== from),
    );
  },
  flatten(m, x) {
    const dims = m.shape(x);
    if (dims.length < 1) return undefined;
    const axis = m.random.below(dims.length + 1);
    const shape = [product(dims.slice(0, axis)), product(dims.slice(axis))];
    const y = m.node('Flatten', [x], shape, { axis });
    return m.random.chance(0.5) ? m.reshape(y, dims) : y;
  },
  slices(m, x) {
    const dims = m.shape(x);
    if (dims.length === 0) return undefined;
    const axis = m.random.below(dims.length);
    const size = dims[axis] as number;
    const step = m.opset >= 10 && m.random.chance(0.2) ? -1 : 1;
    if (step < 0) return m.slice(x, axis, size - 1, -1, -1);
    const [from, to] = m.random.chance(0.6)
      ? [0, m.random.pick([size, 1000, 2 ** 40])]
      : [size > 1 ? 1 : 0, size];
    return m.slice(between(m, x), axis, from as number, to as number);
  },
  /** A quarter of the places each, then all of them: SpaceToDepth where the order is right. */
  spaceToDepth(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4 || m.opset < 10) return undefined;
    const [, , height, width] = dims as [number, number, number, number];
    if (height % 2 !== 0 || width % 2 !== 0) return undefined;
    const part = (row: number, column: number) => {
      const rows = m.slice(x, 2, row, m.random.pick([height, 2 ** 31 - 1]), 2);
      return m.slice(rows, 3, column, width, 2);
    };
    const order: [number, number][] = m.random.pick([
      [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ],
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    ]);
    const parts = order.map(([row, column]) => part(row, column));
    const axis = m.random.chance(0.9) ? 1 : 2;
    const y = m.concat(parts, axis);
    return axis === 1 && m.random.chance(0.5) ? (linear.conv?.(m, y) ?? y) : y;
  },
  /** Reshape, Transpose, Reshape: DepthToSpace, SpaceToDepth, channel shuffle, or none of them. */
  shuffles(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const [batch, channels, height, width] = dims as [number, number, number, number];
    if (m.random.chance(0.4) && channels % 2 === 0) {
      const split = m.reshape(x, [batch, 2, channels / 2, height, width]);
      return m.reshape(m.transpose(split, [0, 2, 1, 3, 4]), dims);
    }
    if (channels % 4 === 0) {
      const dcr = m.random.chance(0.5);
      const wide = dcr
        ? [batch, 2, 2, channels / 4, height, width]
        : [batch, channels / 4, 2, 2, height, width];
      const perms = dcr
        ? [
            [0, 3, 4, 1, 5, 2],
            [0, 3, 4, 2, 5, 1],
          ]
        : [
            [0, 1, 4, 2, 5, 3],
            [0, 1, 4, 3, 5, 2],
          ];
      const turned = m.transpose(m.reshape(x, wide), m.random.pick(perms));
      return m.reshape(turned, [batch, channels / 4, 2 * height, 2 * width]);
    }
    if (height % 2 !== 0 || width % 2 !== 0) return undefined;
    const wide = m.reshape(x, [batch, channels, height / 2, 2, width / 2, 2]);
    const turned = m.transpose(
      wide,
      m.random.pick([
        [0, 3, 5, 1, 2, 4],
        [0, 1, 3, 5, 2, 4],
        [0, 5, 3, 1, 2, 4],
      ]),
    );
    return m.reshape(turned, [batch, 4 * channels, height / 2, width / 2]);
  },
  spaces(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const [batch, channels, height, width] = dims as [number, number, number, number];
    if (height % 2 !== 0 || width % 2 !== 0) return undefined;
    const y = m.node('SpaceToDepth', [x], [batch, 4 * channels, height / 2, width / 2], {
      blocksize: 2,
    });
    const mode = m.opset >= 11 && m.random.chance(0.3) ? { mode: 'CRD' } : {};
    return m.node('DepthToSpace', [between(m, y)], dims, { blocksize: 2, ...mode });
  },
  expand(m, x) {
    const dims = m.shape(x);
    const target = m.random.pick([dims, dims.map(() => 1), [2, ...dims], []]);
    const wide = target.length > dims.length ? [2, ...dims] : dims;
    return m.node('Expand', [x, m.ints(target)], wide);
  },
  concatOfOne(m, x) {
    const dims = m.shape(x);
    if (dims.length === 0) return undefined;
    const axis = m.random.below(dims.length);
    return m.random.chance(0.6) ? m.concat([x], axis) : m.concat([x, m.unary('Neg', x)], axis);
  },
  splits(m, x) {
    const dims = m.shape(x);
    const axis = dims.findIndex((dim) => dim > 1);
    if (axis < 0) return undefined;
    const size = dims[axis] as number;
    const parts = m.split(x, axis, [1, size - 1]);
    return m.concat(m.random.chance(0.7) ? parts : parts.reverse(), axis);
  },
  pads(m, x) {
    const rank = m.shape(x).length;
    if (rank === 0) return undefined;
    const none = Array.from({ length: 2 * rank }, () => 0);
    const y = m.pad(x, none);
    return m.random.chance(0.5)
      ? m.pad(
          y,
          none.map(() => m.random.below(2)),
        )
      : y;
  },
  upsample(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const [batch, channels, height, width] = dims as [number, number, number, number];
    const shape = [batch, channels, 2 * height, 2 * width];
    const scales = m.floats([4], [1, 1, 2, 2]);
    if (m.opset < 10) return m.node('Upsample', [x, scales], shape, { mode: 'nearest' });
    return m.opset === 10
      ? m.node('Resize', [x, scales], shape, { mode: 'nearest' })
      : m.node('Resize', [x, m.opset < 13 ? m.floats([0], []) : '', scales], shape, {
          mode: 'nearest',
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        });
  },
};

const nothing: Record<string, Block> = {
  arithmetic(m, x) {
    const dims = m.shape(x);
    const [opType, value] = m.random.pick([
      ['Add', 0],
      ['Sub', 0],
      ['Mul', 1],
      ['Div', 1],
      ['Pow', 1],
      ['Mul', 0],
      ['Add', 1],
    ] as [string, number][]);
    const rank = m.random.pick([0, 0, 1, dims.length, dims.length + 1]);
    const constant = m.floats(
      Array.from({ length: rank }, () => 1),
      [value],
    );
    const swapped = opType !== 'Pow' && m.random.chance(0.3);
    // 1 / x has no bounds, 0 - x is no x.
    if (swapped && opType !== 'Div') return m.binary(opType, constant, x);
    return m.binary(opType, x, constant);
  },
  identity: (m, x) => m.unary(m.random.pick(['Identity', 'Dropout']), x),
  cast(m, x) {
    const to = m.random.pick([1, 11, 11]); // float, double
    const y = m.node('Cast', [x], m.shape(x), { to });
    return to === 1 ? y : m.node('Cast', [y], m.shape(x), { to: 1 });
  },
  castToWhole(m, x) {
    // Elsewhere a rounding could fall on the other side of a whole number.
    if (!m.inputs.includes(x)) return undefined;
    const y = m.node('Cast', [x], m.shape(x), { to: m.random.pick([6, 7, 9]) });
    return m.node('Cast', [y], m.shape(x), { to: 1 });
  },
  negations(m, x) {
    const opType = m.random.pick(['Neg', 'Abs', 'Relu', 'Reciprocal']);
    if (opType === 'Reciprocal') {
      const y = m.either('Add', m.unary('Abs', x), m.number(1));
      return m.unary(opType, m.unary(opType, y));
    }
    return m.unary(opType, m.unary(opType, x));
  },
  clips: (m, x) => m.clip(m.clip(x, -2, m.random.pick([1, 3])), m.random.pick([-3, 0]), 2),
  reluClip: (m, x) => m.clip(m.unary('Relu', x), m.random.pick([0, -1, 0.5]), 6),
  twice(m, x) {
    const opType = m.random.pick(unary);
    const alpha = opType === 'LeakyRelu' || opType === 'Elu';
    const attributes = () =>
      alpha && m.random.chance(0.5) ? { alpha: { float: 0.3 } } : undefined;
    const a = m.unary(opType, x, attributes());
    const b = m.unary(opType, x, attributes());
    return m.binary(m.random.pick(['Add', 'Mul', 'Sub']), a, b);
  },
  sameConstants(m, x) {
    const dims = m.shape(x).slice(-1);
    const values = Array.from({ length: product(dims) }, () => m.random.next());
    return m.binary(
      'Add',
      m.binary('Add', x, m.floats(dims, values)),
      m.binary('Mul', x, m.floats(dims, values)),
    );
  },
  constants(m, x) {
    const dims = m.shape(x).slice(-1);
    return m.either('Add', x, m.binary('Mul', m.noise(dims), m.unary('Tanh', m.noise(dims))));
  },
  where(m, x) {
    const flag = m.constant({ dims: [], type: 'bool', values: [m.random.below(2)] });
    return m.node('Where', [flag, x, m.unary('Neg', x)], m.shape(x));
  },
};

/** The operators of src/patterns. */
const named: Record<string, Block> = {
  layerNormalization(m, x) {
    const rank = m.shape(x).length;
    if (rank < 1) return undefined;
    const { random } = m;
    const axes = random.chance(0.8) ? [random.pick([-1, rank - 1])] : [0];
    const rms = random.chance(0.4);
    const mean = rms ? x : m.reduce('ReduceMean', x, axes);
    const centred = rms ? x : m.binary('Sub', x, mean);
    const square = random.chance(0.5)
      ? m.binary('Mul', centred, centred)
      : m.binary('Pow', centred, m.number(2));
    const variance = m.reduce('ReduceMean', square, random.chance(0.95) ? axes : [0]);
    const root = m.unary('Sqrt', between(m, m.either('Add', variance, m.number(0.01))));
    const above = random.chance(0.2) && !rms ? m.binary('Sub', x, mean) : centred;
    const y = random.chance(0.6)
      ? m.binary('Div', above, root)
      : m.either(
          'Mul',
          above,
          random.chance(0.5) ? m.unary('Reciprocal', root) : m.binary('Div', m.number(1), root),
        );
    const last = m.shape(x).at(-1) as number;
    const scaled = random.chance(0.8) ? m.either('Mul', between(m, y), m.noise([last])) : y;
    return random.chance(0.7) ? m.either('Add', scaled, m.noise([last])) : scaled;
  },
  gelu(m, x) {
    const { random } = m;
    const half = m.number(0.5);
    let inner: string;
    if (random.chance(0.5)) {
      const root = random.chance(0.9) ? Math.SQRT2 : 2;
      inner = m.unary(
        'Erf',
        random.chance(0.5)
          ? m.binary('Div', x, m.number(root))
          : m.either('Mul', x, m.number(1 / root)),
      );
    } else {
      const cube = random.chance(0.5)
        ? m.binary('Pow', x, m.number(3))
        : m.either('Mul', x, m.binary('Mul', x, x));
      const sum = m.either('Add', x, m.either('Mul', cube, m.number(0.044715)));
      inner = m.unary('Tanh', m.either('Mul', sum, m.number(Math.sqrt(2 / Math.PI))));
    }
    const sum = m.either('Add', between(m, inner), m.number(1));
    return random.pick([
      () => m.either('Mul', m.either('Mul', x, half), sum),
      () => m.either('Mul', m.either('Mul', x, sum), half),
      () => m.either('Mul', x, m.either('Mul', sum, half)),
    ])();
  },
  swish(m, x) {
    const scaled = m.random.chance(0.4) ? m.either('Mul', x, m.number(1.702)) : x;
    return m.either('Mul', between(m, x), m.unary('Sigmoid', scaled));
  },
  hardSwish(m, x) {
    const { random } = m;
    if (random.chance(0.3)) {
      const alpha = { float: random.chance(0.8) ? 1 / 6 : 0.2 };
      return m.either('Mul', x, m.unary('HardSigmoid', x, { alpha, beta: { float: 0.5 } }));
    }
    const gate = m.clip(m.either('Add', x, m.number(3)), 0, random.chance(0.9) ? 6 : 5);
    const sixth = (y: string) =>
      random.chance(0.5) ? m.binary('Div', y, m.number(6)) : m.either('Mul', y, m.number(1 / 6));
    return random.chance(0.5) ? sixth(m.either('Mul', x, gate)) : m.either('Mul', x, sixth(gate));
  },
  lpNormalization(m, x) {
    const rank = m.shape(x).length;
    if (rank < 1) return undefined;
    const axes = [m.random.below(rank)];
    const opType = m.random.pick(['ReduceL2', 'ReduceL2', 'ReduceL1']);
    const y = m.either('Add', x, m.number(3));
    let length = m.reduce(opType, y, axes);
    // Max broadcasts from opset 8 on.
    const floor = m.random.pick(['none', 'Clip', m.opset < 8 ? 'Clip' : 'Max']);
    if (floor === 'Clip') length = m.clip(length, 1e-12, 3e38);
    if (floor === 'Max') length = m.either('Max', length, m.number(1e-12));
    if (m.random.chance(0.5)) length = m.node('Expand', [length, m.ints(m.shape(x))], m.shape(x));
    return m.binary('Div', y, length);
  },
  l2(m, x) {
    const rank = m.shape(x).length;
    if (rank < 1) return undefined;
    const y = m.either('Add', m.unary('Abs', x), m.number(0.5));
    const length = m.reduce('ReduceL2', y, [m.random.pick([-1, 0])]);
    return m.binary('Div', y, length);
  },
};

/** A body that computes `x` and its negation one after the other, from outside. */
function body(m: GraphMaker, x: string, opType: string): Graph {
  const inner = new GraphMaker(m.random, m.opset, `${m.name()}_`);
  const y = inner.node(opType, [x], m.shape(x));
  return inner.graph([inner.node('Add', [y, x], m.shape(x))]);
}

const structure: Record<string, Block> = {
  if(m, x) {
    const [a, b] = [body(m, x, 'Neg'), body(m, x, 'Abs')];
    const flag = m.random.chance(0.8)
      ? m.constant({ dims: m.random.pick([[], [1]]), type: 'bool', values: [m.random.below(2)] })
      : m.node(
          'Cast',
          [
            m.reduce(
              'ReduceMax',
              m.reshape(m.inputs[0] as string, [product(m.shape(m.inputs[0] as string))], [-1]),
              [0],
              false,
            ),
          ],
          [],
          { to: 9 },
        );
    return m.node('If', [flag], m.shape(x), { then_branch: a, else_branch: b });
  },
  loop(m, x) {
    const trips = m.initializer({ dims: [], type: 'int64', values: [m.random.below(4)] });
    // Not x itself: onnxruntime loses a value that a Loop carries and its body reads from outside.
    const outer = m.unary('Neg', x);
    const go = m.initializer({ dims: [], type: 'bool', values: [1] });
    const inner = new GraphMaker(m.random, m.opset, `${m.name()}_`);
    inner.inputs.push(...['i', 'c', 'v'].map((name) => `${inner.name()}${name}`));
    const [i, condition, state] = inner.inputs as [string, string, string];
    inner.types[i] = 'int64';
    inner.types[condition] = 'bool';
    inner.shapes[i] = [];
    inner.shapes[condition] = [];
    inner.shapes[state] = m.shape(x);
    const still = inner.node('Identity', [condition], []);
    inner.types[still] = 'bool';
    const next = inner.node('Mul', [inner.node('Tanh', [state], m.shape(x)), outer], m.shape(x));
    return m.node('Loop', [trips, go, x], m.shape(x), { body: inner.graph([still, next]) });
  },
  /** x.view(x.shape[0], -1) and the like. */
  shapeArithmetic(m, x) {
    const dims = m.shape(x);
    if (dims.length < 2) return undefined;
    const { random } = m;
    const shape = m.integer('Shape', [x], [dims.length]);
    const at = (i: number) => {
      const scalar = m.integer('Gather', [shape, m.ints([i], [])], [], { axis: 0 });
      const y = m.squeeze('Unsqueeze', scalar, [0], [1]);
      m.types[y] = 'int64';
      return y;
    };
    const rest = product(dims.slice(1));
    const parts = random.pick([
      () => [at(0), m.ints([-1])],
      () => [at(0), m.ints([rest])],
      () => {
        const sizes = dims.slice(1).map((_, i) => at(i + 1));
        return [m.ints([-1]), sizes.reduce((a, b) => m.integer('Mul', [a, b], [1]))];
      },
    ])();
    const wanted = m.integer('Concat', parts, [2], { axis: 0 });
    return m.node('Reshape', [x, wanted], [dims[0] as number, rest]);
  },
  filled(m, x) {
    const shape = m.integer('Shape', [x], [m.shape(x).length]);
    const value = {
      tensor: { dims: [1], type: 'float' as const, values: [m.random.pick([0, 1, 0.5])] },
    };
    const filled = m.node('ConstantOfShape', [shape], m.shape(x), { value });
    return m.binary(m.random.pick(['Add', 'Mul']), x, filled);
  },
  poolToFlat(m, x) {
    const dims = m.shape(x);
    if (dims.length !== 4) return undefined;
    const [batch, channels] = dims as [number, number];
    const pooled = m.random.chance(0.5)
      ? m.node('GlobalAveragePool', [x], [batch, channels, 1, 1])
      : m.reduce('ReduceMean', x, [2, 3]);
    const flat = m.random.chance(0.5)
      ? m.node('Flatten', [pooled], [batch, channels])
      : m.squeeze('Squeeze', pooled, [2, 3], [batch, channels]);
    return linear.gemm?.(m, flat) ?? flat;
  },
};

const families = [linear, linear, linear, movement, movement, nothing, named, structure].map(
  (blocks) => Object.values(blocks),
);

const inputShapes: Dims[] = [
  [1, 8, 4, 4],
  [2, 4, 6, 6],
  [1, 2, 4, 4],
  [1, 4, 5, 3],
  [2, 3, 4],
  [1, 6, 8],
  [3, 4],
  [2, 8],
  [5],
];

/** The graph of that number: the same whenever it is asked for. */
export function passGraph(seed: number): PassGraph {
  const random = new Random(seed);
  const opset = random.pick(opsets);
  const m = new GraphMaker(random, opset);
  const made = [m.input(random.pick(inputShapes))];
  if (random.chance(0.3)) made.push(m.input(m.shape(made[0] as string)));
  const blocks = 1 + random.below(7);
  for (let i = 0; i < 4 * blocks && made.length <= blocks; i++) {
    // Mostly on the newest, so that patterns follow patterns.
    const x = random.chance(0.7) ? (made.at(-1) as string) : random.pick(made);
    const y = random.pick(random.pick(families))(m, x);
    if (y !== undefined && product(m.shape(y)) <= 4096) made.push(y);
  }
  const last = made.at(-1) as string;
  const outputs = new Set([m.inputs.includes(last) ? m.unary('Relu', last) : last]);
  // Inside a pattern, too: what is read outside must stay.
  const floats = m.nodes.flatMap(({ opType, outputs: names }) =>
    opType === 'Constant' || opType === 'Cast' ? [] : names.filter((name) => !m.types[name]),
  );
  for (let i = random.below(3); i > 0 && floats.length > 0; i--) {
    if (random.chance(0.5)) continue;
    const tensor = random.pick(floats);
    outputs.add(random.chance(0.5) ? tensor : m.unary('Neg', tensor));
  }
  const graph = withoutUnused(m.graph([...outputs]));
  const freeBatch = random.chance(0.3);
  return { graph: { ...graph, ...(freeBatch && { freeBatch }) }, opset };
}
