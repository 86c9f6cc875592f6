// The graph of imports between the folders, as ARCHITECTURE.md shows it: a Mermaid flowchart and
// its figures, written by `npm run imports` and held fresh by lint.
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../lib/paths.mjs';
import { checkImports } from './imports.mjs';

const page = path.join(root, 'ARCHITECTURE.md');
const begin = '<!-- imports: written by `npm run imports` -->';
const end = '<!-- /imports -->';

/** Writes the graph where `write`. Returns what is wrong, one line each. */
export function drawImports({ write }) {
  const text = fs.readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return [`ARCHITECTURE.md: the lines ${begin} and ${end} are missing`];
  const fresh = `${text.slice(0, from + begin.length)}\n\n${graph(checkImports())}\n\n${text.slice(to)}`;
  if (fresh === text) return [];
  if (!write) return ['ARCHITECTURE.md: the graph of imports is stale: npm run imports'];
  fs.writeFileSync(page, fresh);
  return [];
}

function graph({ rooms, arrows, starts, circles }) {
  const floors = circles.length ? null : heights(rooms, arrows);
  const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const figures = [
    count(rooms.length, 'folder'),
    ...(floors ? [count(Math.max(...floors.values()) + 1, 'floor')] : []),
    count(arrows.length, 'arrow'),
    count(circles.length, 'circle'),
  ];
  const shown = floors ? arrows.filter((arrow) => !isDetour(arrow, arrows)) : arrows;
  const id = (room) => room.replace(/\W/g, '_');
  const lines = ['```mermaid', 'flowchart TD'];
  for (const name of new Set(rooms.map(wing))) {
    lines.push(`  subgraph ${id(`in ${name}`)}["${name}"]`);
    for (const room of rooms.filter((each) => wing(each) === name))
      lines.push(`    ${id(room)}["${path.relative(name, room) || path.basename(room)}"]`);
    lines.push('  end');
  }
  for (const [from, to] of [...shown].sort()) lines.push(`  ${id(from)} --> ${id(to)}`);
  for (const [from, to] of [...starts].sort()) lines.push(`  ${id(from)} -. starts .-> ${id(to)}`);
  lines.push('```');
  const left = floors ? ' Not drawn: an arrow where a longer way leads to the same folder.' : '';
  return `${figures.join(', ')}.${left}\n\n${lines.join('\n')}`;
}

/** The part of the product that a folder belongs to. */
const wing = (room) =>
  room
    .split('/')
    .slice(0, room.startsWith('bindings/') ? 2 : 1)
    .join('/');

/** The floor of each folder: 0 where it uses none, else one above the highest that it uses. */
function heights(rooms, arrows) {
  const known = new Map();
  const height = (room) => {
    if (!known.has(room)) {
      const below = arrows.filter(([from]) => from === room).map(([, to]) => height(to));
      known.set(room, below.length ? Math.max(...below) + 1 : 0);
    }
    return known.get(room);
  };
  for (const room of rooms) height(room);
  return known;
}

/** Whether a longer way leads from an arrow's beginning to its end; where there are no circles. */
function isDetour([from, to], arrows) {
  const reached = new Set(arrows.filter(([a, b]) => a === from && b !== to).map(([, b]) => b));
  for (const room of reached) for (const [a, b] of arrows) if (a === room) reached.add(b);
  return reached.has(to);
}
