// The page as static files for any host: relative URLs, everything local, self-contained worker
// scripts.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { gzipSync } from 'fflate';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => path.join(root, ...parts);

// What the browser may do, from the first byte on; lockNetwork() in lib/engine.ts takes away the
// network as well.
const contentSecurityPolicy = [
  "default-src 'none'",
  // wasm-unsafe-eval: WebAssembly. blob: onnxruntime's own script, where threads are available.
  "script-src 'self' blob: 'wasm-unsafe-eval'",
  // 'self': the service worker.
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "connect-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const core = at('dist/wasm/ptq_core.wasm');
const largeFile = 4e6;

export default defineConfig({
  root: at('web'),
  base: './',
  define: {
    __BUILD__: JSON.stringify(build()),
  },
  plugins: [oneWorker(), example(), sizes(), contentSecurity(), licenses(), compressed()],
  build: {
    outDir: at('web/dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'licenses.md' },
    rollupOptions: {
      input: { index: at('web/index.html'), sw: at('web/sw.ts') },
      output: {
        // The service worker is for the folder that it is in, under one name for ever.
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  // Workers start from a Blob, where a relative import has no base: one file, nothing to import.
  worker: { format: 'iife' },
});

/**
 * The library starts its own worker script where it is given none; the page always gives one, in
 * which the library's is. Without this there would be a second one of 280 kB, never loaded.
 */
function oneWorker(): Plugin {
  const own = /new Worker\(new URL\('\.\/worker\.js', import\.meta\.url\), \{[^}]*\}\)/;
  return {
    name: 'one-worker',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(at('dist/worker')) || !own.test(code)) return null;
      return { code: code.replace(own, 'undefined'), map: null };
    },
  };
}

/** The commit, else what the core's bytes come to: caches of two builds are never mixed. */
function build(): string {
  try {
    const git = ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*'];
    return execFileSync('git', git, { cwd: root, stdio: 'pipe' }).toString().trim();
  } catch {
    return createHash('sha256').update(fs.readFileSync(core)).digest('hex').slice(0, 10);
  }
}

/** `virtual:sizes`: what lib/engine.ts loads, in bytes, for its progress. */
function sizes(): Plugin {
  const name = 'virtual:sizes';
  const files = [
    core,
    at('node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'),
    at('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
  ];
  return {
    name: 'sizes',
    resolveId: (id) => (id === name ? `\0${name}` : null),
    load(id) {
      if (id !== `\0${name}`) return null;
      const total = files.reduce((sum, file) => sum + fs.statSync(file).size, 0);
      return `export const totalBytes = ${total};`;
    },
  };
}

/**
 * Every file as .gz, which the page asks for itself, and as .br, for hosts that serve such files.
 */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const folder = at('web/dist');
      for (const entry of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|mjs|css|json|wasm|bin|svg|webmanifest)$/.test(entry)) continue;
        const file = path.join(folder, entry);
        const bytes = fs.readFileSync(file);
        // The best takes minutes for onnxruntime, and gains a few per cent.
        const [level, quality] = bytes.length > largeFile ? ([6, 5] as const) : ([9, 11] as const);
        // Node's zlib is another one in each version and build of Node.
        fs.writeFileSync(`${file}.gz`, gzipSync(bytes, { level, mtime: 0 }));
        const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: quality };
        fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(bytes, { params }));
      }
    },
  };
}

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

/** What the page offers to try: the model and its calibration images, in folders of examples/. */
const examples = [
  ['digits', 'digits/model/digits-mobilenetv2.onnx', 'digits/images/calib'],
  ['sharpen', 'sharpen/model/sharpen-x3.onnx', 'sharpen/images'],
] as const;

/** `virtual:example`: the files of all examples one after the other in one file. */
function example(): Plugin {
  const name = 'virtual:example';
  const development = '/@example.bin';
  const pack = () => {
    const packed = examples.map(([id, model, images]) => {
      const folder = at('examples', images);
      const pictures = fs.readdirSync(folder).sort();
      const files = [at('examples', model), ...pictures.map((image) => path.join(folder, image))];
      return [
        id,
        files.map((file) => [path.basename(file), fs.readFileSync(file)] as const),
      ] as const;
    });
    const index = packed.map(([id, files]) => [
      id,
      files.map(([name, { length }]) => [name, length]),
    ]);
    const all = packed.flatMap(([, files]) => files.map(([, bytes]) => bytes));
    return { index, source: Buffer.concat(all) };
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
