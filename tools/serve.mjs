// Serves the built page (web/dist) on this machine, as any static host would: compressed where the
// browser takes it, with its types, and nothing else. node tools/serve.mjs [folder] [--port 8080]
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './lib/paths.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};
const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
];

/** Resolves with the address. `port` 0: any that is free. */
export function serve(folder, port) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = path.join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const isFile = (name) => fs.statSync(name, { throwIfNoEntry: false })?.isFile() === true;
    if (!file.startsWith(folder) || !isFile(file)) return response.writeHead(404).end();
    const accepted = String(request.headers['accept-encoding'] ?? '');
    const [encoding, ending] = encodings.find(
      ([name, suffix]) => accepted.includes(name) && isFile(file + suffix),
    ) ?? ['', ''];
    response.writeHead(200, {
      'content-type': types[path.extname(file)] ?? 'application/octet-stream',
      'cache-control': pathname.includes('/assets/') ? 'max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
      ...(encoding && { 'content-encoding': encoding }),
    });
    fs.createReadStream(file + ending).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () =>
      resolve({ url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }),
    );
  });
}

if (process.argv[1]?.endsWith(path.join('tools', 'serve.mjs'))) {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string', default: '8080' } },
    allowPositionals: true,
  });
  const folder = path.resolve(positionals[0] ?? path.join(root, 'web/dist'));
  const { url } = await serve(folder, Number(values.port));
  console.log(`${folder} at ${url}`);
}
