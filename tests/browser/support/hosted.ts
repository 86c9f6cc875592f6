// What the tests of a file share: a browser, a server of the built page, and a tab to open it in.
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { App, newTab } from './app.js';
import { launch, skipBrowser } from './browser.js';
import { type StaticServer, serve } from './server.js';

export class Host {
  browser!: Browser;
  server!: StaticServer;
  #tab: Page | undefined;

  /**
   * Opens the page in the tab of the test before, without what it remembers of it: a tab and a
   * profile of its own (`App.open`) take half as much again.
   */
  async open(): Promise<App> {
    this.#tab ??= await newTab(this.browser);
    return App.openIn(this.#tab, this.server);
  }
}

/** To be called by a file or in a describe(): all is there while its tests run. */
export function hosted(): Host {
  const host = new Host();
  if (skipBrowser) return host;
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
