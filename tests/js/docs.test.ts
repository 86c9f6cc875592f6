// The generated pages of docs/ say what the library's tables say.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

test('the generated pages are up to date', async () => {
  const module = pathToFileURL(path.resolve('tools/lib/generated-pages.mjs')).href;
  const { generatedPages } = (await import(module)) as {
    generatedPages(): Promise<Record<string, string>>;
  };
  const pages = Object.entries(await generatedPages());
  assert.ok(pages.length > 0);
  for (const [file, text] of pages) {
    assert.ok(fs.readFileSync(file, 'utf8') === text, `${file} is stale: run \`npm run docs\``);
  }
});
