// The library for Node as a few files, dist/node: Node takes a millisecond of CPU to find, read and
// link a module, a job needs 150 of them, and each of its workers needs its own. Made of the
// sources, so that source maps lead to them and nothing waits for tsc; packages and what the core's
// build makes stay outside. Browsers get tsc's modules: who makes a page bundles them anyway.
import path from 'node:path';
import { root } from './paths.mjs';

const sources = path.join(root, 'bindings/js');

/**
 * What is loaded at different times is in different files, each with what it imports and no earlier
 * one has: what all need, what a calibration worker, --help and jobs need.
 */
const groups = [
  { name: 'base', test: /bindings[\\/]js[\\/]base[\\/]/ },
  {
    name: 'runner',
    test: /bindings[\\/]js[\\/](calibration[\\/]serve-runner|platform[\\/]node)\.ts$/,
  },
  { name: 'command', test: /bindings[\\/]js[\\/]cli[\\/]run\.ts$/ },
  { name: 'library', test: /bindings[\\/]js[\\/]index\.ts$/ },
];

/** What the core's build makes. */
const isOfCore = (id) =>
  id.startsWith('../wasm/') || id.startsWith(path.join(sources, 'wasm') + path.sep);

/** The files: their bytes by their paths in the project. */
export async function bundle() {
  const { build } = await import('rolldown'); // npm's packages, which are set up by now
  const { output } = await build({
    cwd: root,
    input: {
      index: path.join(sources, 'index.ts'),
      cli: path.join(sources, 'cli/main.ts'),
      'calibration-node': path.join(sources, 'calibration-node.ts'),
    },
    platform: 'node',
    tsconfig: false,
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    external: (id) => !(id.startsWith('.') || path.isAbsolute(id)) || isOfCore(id),
    // package.json's sideEffects name files of dist. `true` alone would leave it at them.
    treeshake: { moduleSideEffects: [{ test: /\.ts$/, sideEffects: true }] },
    write: false,
    output: {
      dir: 'dist',
      entryFileNames: 'node/[name].js',
      chunkFileNames: 'node/[name].js',
      sourcemap: true,
      sourcemapExcludeSources: true,
      codeSplitting: {
        groups: groups.map((group, index) => ({ ...group, priority: groups.length - index })),
      },
    },
  });
  return new Map(
    output.map(({ fileName, code, source }) => [
      path.join('dist', fileName),
      Buffer.from(code ?? source),
    ]),
  );
}
