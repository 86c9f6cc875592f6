// npm run docs: writes the pages of docs/ that are made from the library's own tables.
import fs from 'node:fs';
import path from 'node:path';
import { generatedPages } from './lib/generated-pages.mjs';
import { root } from './lib/paths.mjs';

for (const [file, text] of Object.entries(await generatedPages())) {
  fs.writeFileSync(path.join(root, file), text);
  console.log(`  ${file}`);
}
