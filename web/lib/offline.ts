// Makes the page open without a network: its files go into a cache that the service worker answers
// from. The page fills the cache with what it has loaded anyway, so nothing is loaded twice.
import { cacheName } from './cache-name';

/**
 * `loaded`: what was downloaded, by address. Whether it worked: some browsers have it switched off.
 */
export async function keepForOffline(loaded: ReadonlyMap<string, Blob>): Promise<boolean> {
  try {
    if (!('serviceWorker' in navigator) || !globalThis.caches) return false;
    const cache = await caches.open(cacheName);
    const page = new URL('./', location.href).href;
    const own = [page, ...new Set([...pageFiles(), ...scripts()])];
    await Promise.all(own.map(async (url) => cache.put(url, await fetch(url))));
    for (const [url, blob] of loaded) {
      await cache.put(new URL(url, document.baseURI).href, new Response(blob));
    }
    for (const name of await caches.keys()) {
      if (name.startsWith('onnx-ptq-') && name !== cacheName) await caches.delete(name);
    }
    await navigator.serviceWorker.register('./sw.js', { updateViaCache: 'all' });
    await navigator.serviceWorker.ready;
    return true;
  } catch {
    return false;
  }
}

/** Those that the page has imported. */
function scripts(): string[] {
  const names = performance.getEntriesByType('resource').map(({ name }) => name);
  return names.filter((name) => name.startsWith(location.origin) && name.endsWith('.js'));
}

/** Scripts, styles, icon and manifest of index.html. */
function pageFiles(): string[] {
  const elements = document.head.querySelectorAll<HTMLScriptElement | HTMLLinkElement>(
    'script[src], link[href]',
  );
  return [...elements].map((element) => ('src' in element ? element.src : element.href));
}
