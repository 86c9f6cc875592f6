// The service worker: answers from the cache that the page has filled (lib/offline.ts), and from
// the network what is not there. It has no other business: it takes no messages and sends nothing.

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
declare const self: {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
};

addEventListener('install', () => void self.skipWaiting());
addEventListener('activate', (event) => (event as ExtendableEvent).waitUntil(self.clients.claim()));
addEventListener('fetch', (given) => {
  const event = given as FetchEvent;
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  const isPage = event.request.mode === 'navigate' || url.pathname.endsWith('/');
  event.respondWith(isPage ? page(event.request) : asset(event.request));
});

/** The newest page where there is a network, else the one that was kept. */
async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const cached = await caches.match(new URL('./', self.location.href).href);
    if (cached) return cached;
    throw error;
  }
}

/** The names of files change with their content: what is kept is right. */
async function asset(request: Request): Promise<Response> {
  // The page asks for the compressed file first; what is kept is the unpacked one.
  const url = request.url.replace(/\.gz$/, '');
  return (await caches.match(url)) ?? fetch(request);
}

export {};
