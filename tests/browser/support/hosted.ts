// What most suites share: a browser, and a server of the built page.
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from './browser.js';
import { type StaticServer, serve } from './server.js';

/** To be called in a describe(): both are there while its tests run. */
export function hosted(): { browser: Browser; server: StaticServer } {
  const host = {} as { browser: Browser; server: StaticServer };
  before(async () => {
    host.browser = await launch();
    host.server = await serve('web/dist');
  });
  after(async () => {
    await host.browser?.close();
    await host.server?.close();
  });
  return host;
}
