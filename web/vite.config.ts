// The page as static files for any host: relative URLs, everything local, one self-contained worker
// script.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => path.join(root, ...parts);

// What the browser may do, from the first byte on; lockNetwork() in lib/engine.ts takes away the
// network as well.
const contentSecurityPolicy = [
  "default-src 'none'",
  // wasm-unsafe-eval: WebAssembly. blob: onnxruntime's own script, where threads are available.
  "script-src 'self' blob: 'wasm-unsafe-eval'",
  'worker-src blob:',
  "connect-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export default defineConfig({
  root: at('web'),
  base: './',
  plugins: [example(), contentSecurity(), licenses()],
  build: {
    outDir: at('web/dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'licenses.md' },
  },
  // Workers start from a Blob, where a relative import has no base: one file, nothing to import.
  worker: { format: 'iife' },
});

/**
 * The policy goes into the built page only: the development server needs inline styles and a
 * socket.
 */
function contentSecurity(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/**
 * Licences of what is in the wasm core and the worker; Vite lists those of the page's own script.
 */
function licenses(): Plugin {
  return {
    name: 'licenses',
    apply: 'build',
    generateBundle() {
      const files = [
        ['onnx-ptq', at('LICENSE')],
        ['onnx', at('dist/licenses/onnx.txt')],
        ['protobuf', at('dist/licenses/protobuf.txt')],
        ['fflate', at('node_modules/fflate/LICENSE')],
      ] as const;
      for (const [name, file] of files) {
        if (!fs.existsSync(file)) this.error(`${file} is missing: build the core first`);
        const source = fs.readFileSync(file);
        this.emitFile({ type: 'asset', fileName: `licenses/${name}.txt`, source });
      }
    },
  };
}

/**
 * `virtual:example`: model and calibration images of examples/digits, one file after the other in
 * one file.
 */
function example(): Plugin {
  const name = 'virtual:example';
  const development = '/@example.bin';
  const folder = at('examples/digits');
  const pack = () => {
    const images = fs.readdirSync(path.join(folder, 'images/calib')).sort();
    const files = [
      path.join(folder, 'model/digits-mobilenetv2.onnx'),
      ...images.map((image) => path.join(folder, 'images/calib', image)),
    ].map((file) => ({ name: path.basename(file), bytes: fs.readFileSync(file) }));
    const index = files.map((file): [string, number] => [file.name, file.bytes.length]);
    return { index, source: Buffer.concat(files.map((file) => file.bytes)) };
  };
  let serving = false;
  return {
    name: 'example',
    configResolved(config) {
      serving = config.command === 'serve';
    },
    resolveId: (id) => (id === name ? `\0${name}` : null),
    load(id) {
      if (id !== `\0${name}`) return null;
      const { index, source } = pack();
      const url = serving
        ? JSON.stringify(development)
        : `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'asset', name: 'example.bin', source })}`;
      return `export const url = ${url};\nexport const index = ${JSON.stringify(index)};`;
    },
    configureServer(server) {
      server.middlewares.use(development, (_request, response) => response.end(pack().source));
    },
  };
}
