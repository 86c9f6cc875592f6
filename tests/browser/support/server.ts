// A static file server for the tests, as plain as any static host: no rewriting, no special headers
// unless asked.
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

export interface StaticServer {
  origin: string;
  /** Every request so far, as "GET /path". */
  requests: string[];
  close(): Promise<void>;
}

/** Serves `folder` on 127.0.0.1; `pages` are served from memory; `headers` go with every answer. */
export async function serve(
  folder: string,
  options: {
    pages?: Record<string, string>;
    headers?: Record<string, string>;
    /** Files that it does not have. */
    missing?: RegExp;
    /** Files that never come. */
    slow?: RegExp;
  } = {},
): Promise<StaticServer> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    requests.push(`${request.method} ${pathname}`);
    const page = options.pages?.[pathname];
    const file = path.join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const isMissing = options.missing?.test(pathname) ?? false;
    if (
      isMissing ||
      (page === undefined && !fs.statSync(file, { throwIfNoEntry: false })?.isFile())
    ) {
      response.writeHead(404).end();
      return;
    }
    if (options.slow?.test(pathname)) return;
    const type = page === undefined ? types[path.extname(file)] : types['.html'];
    response.writeHead(200, {
      'content-type': type ?? 'application/octet-stream',
      ...options.headers,
    });
    if (page === undefined) fs.createReadStream(file).pipe(response);
    else response.end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Headers that isolate a page, so that it gets SharedArrayBuffer. */
export const isolating = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
