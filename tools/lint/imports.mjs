// Who imports whom. The table of folders in ARCHITECTURE.md says which folder may use which; every
// import of the library, the page, the bindings and the core is held to it. Types count, too: a
// type is knowledge.
import fs from 'node:fs';
import path from 'node:path';
import { filesUnder } from '../lib/build.mjs';
import { root } from '../lib/paths.mjs';
import { withoutComments } from './comments.mjs';

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const exists = (file) => fs.existsSync(path.join(root, file));
const checked = ['src', 'bindings', 'web'];

/**
 * The rows of the table: {row, uses: [rows]} by row, in their order; what is wrong goes to
 * `problems`.
 */
export function readTable(markdown, problems) {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^\|\s*folder\s*\|/.test(line));
  const cells = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const [, folders, , uses] = line.split('|').map((cell) => cell.trim());
    for (const [, row] of folders.matchAll(/`([^`]+)`/g)) cells.push({ row, uses: uses ?? '' });
  }
  if (start < 0 || !cells.length)
    problems.push('ARCHITECTURE.md: the table "folder | what is in it | may use" is missing');
  const rows = cells.map(({ row }) => row);
  const table = new Map();
  for (const [index, { row, uses }] of cells.entries()) {
    if (!exists(row)) problems.push(`ARCHITECTURE.md: ${row} has a row and does not exist`);
    const allowed = new Set();
    const words = uses.replace(/\([^)]*\)/g, '').split(',');
    for (const word of words.map((each) => each.replaceAll('`', '').trim()).filter(Boolean)) {
      const parent = `${path.dirname(row)}/`;
      const found =
        word === 'all of the above'
          ? rows.slice(0, index).filter((above) => above.startsWith(parent))
          : named(word, row, rows);
      if (!found.length)
        problems.push(`ARCHITECTURE.md: ${row} may use "${word}", which is no folder of the table`);
      for (const each of found) allowed.add(each);
    }
    table.set(row, allowed);
  }
  return table;
}

/**
 * What a row calls another: the nearest of that name, seen from the row; a folder means all that is
 * in it.
 */
function named(word, row, rows) {
  for (let from = path.dirname(row); ; from = path.dirname(from)) {
    const target = path.join(from, word);
    const found = rows.filter((each) => each === target || each.startsWith(`${target}/`));
    if (found.length || from === '.') return found;
  }
}

/** The longest row that holds the file, or undefined. */
function roomOf(file, rows) {
  return rows
    .filter((row) => file === row || file.startsWith(`${row}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** By file of ours: {targets, workers}, the files that it imports and those that it starts. */
export function readImports() {
  const imports = new Map();
  const files = checked.flatMap((folder) =>
    filesUnder(folder, '.ts', '.tsx', '.mts', '.cc', '.h').filter(
      (file) => !/(^|\/)(dist|node_modules)\//.test(file),
    ),
  );
  for (const file of files) {
    const text = withoutComments(read(file), /\.(cc|h)$/.test(file) ? 'c++' : 'js');
    imports.set(file, {
      targets: /\.(cc|h)$/.test(file) ? includes(file, text) : modules(file, text, importForms),
      workers: modules(file, text, [workerForm]),
    });
  }
  return imports;
}

function includes(file, text) {
  return [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)]
    .map(([, name]) => [path.join(path.dirname(file), name), path.join('src', name)].find(exists))
    .filter(Boolean);
}

const importForms = [
  /(?:^|[;}\s])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]/g,
  /(?:^|[;}\s])import\s*['"]([^'"]+)['"]/g,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
];
const workerForm = /\bnew URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g;
const { exports: ownExports } = JSON.parse(read('package.json'));

function modules(file, text, forms) {
  const names = forms.flatMap((form) => [...text.matchAll(form)].map(([, name]) => name));
  return [...new Set(names.map((name) => moduleFile(file, name)).filter(Boolean))];
}

/** The source file of a module of ours, or undefined. */
function moduleFile(file, name) {
  let target = name.replace(/\?.*$/, '');
  if (target === 'onnx-ptq' || target.startsWith('onnx-ptq/')) {
    const entry = ownExports[target.replace('onnx-ptq', '.')];
    target = entry?.browser?.default ?? entry?.default ?? entry;
    target = target && path.join('bindings/js', path.relative('dist', target));
  } else if (target.startsWith('.')) target = path.join(path.dirname(file), target);
  else return undefined;
  const stem = target?.replace(/\.m?js$/, '');
  return [target, `${stem}.ts`, `${stem}.tsx`, `${stem}.mts`, `${stem}.d.mts`].find(
    (each) => /\.m?tsx?$/.test(each ?? '') && exists(each),
  );
}

/**
 * {problems, rooms, arrows, starts, circles}: what breaks the rules; the folders; [from, to]
 * between them; the same for workers that are started, which is allowed in a circle: it is another
 * program.
 */
export function checkImports() {
  const problems = [];
  const table = readTable(read('ARCHITECTURE.md'), problems);
  const rows = [...table.keys()];
  const imports = readImports();
  const homeless = new Set();
  const arrows = new Map();
  const starts = new Map();
  const rooms = new Set();
  for (const [file, { targets, workers }] of imports) {
    const from = roomOf(file, rows);
    if (!from) homeless.add(path.dirname(file));
    else rooms.add(from);
    for (const target of [...targets, ...workers]) {
      const to = roomOf(target, rows);
      if (!from || !to || from === to) continue;
      (targets.includes(target) ? arrows : starts).set(`${from} ${to}`, [from, to]);
      if (table.get(from).has(to)) continue;
      const may = [...table.get(from)].join(', ') || 'no other folder';
      problems.push(`${file} imports ${target}: ${from} may use ${may} (ARCHITECTURE.md)`);
    }
  }
  for (const folder of homeless)
    problems.push(`${folder} has no row in the table of folders (ARCHITECTURE.md)`);
  for (const circle of circles([...imports.keys()], (file) => imports.get(file)?.targets))
    problems.push(`files import each other in a circle: ${circle.join(' → ')}`);
  const inner = [...rooms].sort();
  const all = [...arrows.values()];
  const between = circles(inner, (room) => all.filter(([a]) => a === room).map(([, b]) => b));
  for (const circle of between)
    problems.push(`folders import each other in a circle: ${circle.join(' → ')}`);
  return { problems, rooms: inner, arrows: all, starts: [...starts.values()], circles: between };
}

/** One way round for each group of nodes that reach each other: [a, b, …, a]. */
function circles(nodes, next) {
  const found = [];
  const done = new Set();
  for (const start of nodes) {
    if (done.has(start)) continue;
    const way = shortestWay(start, start, next);
    if (!way) continue;
    for (const node of way) done.add(node);
    found.push(way);
  }
  return found;
}

function shortestWay(start, end, next) {
  const before = new Map();
  const queue = [start];
  for (const node of queue) {
    for (const target of next(node) ?? []) {
      if (target === end) {
        const way = [end];
        for (let at = node; at !== start; at = before.get(at)) way.unshift(at);
        return [start, ...way];
      }
      if (before.has(target)) continue;
      before.set(target, node);
      queue.push(target);
    }
  }
  return null;
}
