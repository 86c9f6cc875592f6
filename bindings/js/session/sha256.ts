// The digest that a result is named by. WebCrypto works beside the calling thread.

import type { Platform } from '../platform/platform.js';

/** In hexadecimal. `data`: a path (Node), bytes or a Blob. */
export async function digestOf(
  platform: Platform<unknown>,
  data: string | Uint8Array | Blob,
): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await bytesOf(platform, data));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function bytesOf(
  platform: Platform<unknown>,
  data: string | Uint8Array | Blob,
): Promise<BufferSource> {
  if (data instanceof Blob) return data.arrayBuffer();
  if (typeof data !== 'string') return data as Uint8Array<ArrayBuffer>;
  const input = await platform.openInput(data, {});
  try {
    const file = input.source('~model');
    const bytes = new Uint8Array(file?.size ?? 0);
    file?.read(0, bytes);
    return bytes;
  } finally {
    input.close();
  }
}
