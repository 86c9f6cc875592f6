// The types of the wasm module are written by hand, because they say more than Embind knows
// (literals, callbacks, comments). This holds them to what Embind exposes: the same classes and
// functions, each with as many parameters of the same kinds.
import { withoutComments } from './comments.mjs';

/** What differs between emcc's declarations and ours, one line each. */
export function differences(emitted, ours) {
  const [theirs, written] = [members(emitted), members(ours)];
  const found = [];
  for (const [name, signature] of theirs) {
    if (!written.has(name)) found.push(`missing: ${name}${signature}`);
    else if (!agrees(signature, written.get(name)))
      found.push(`${name}${written.get(name)} is ${name}${signature} in C++`);
  }
  for (const [name, signature] of written)
    if (!theirs.has(name)) found.push(`not in C++: ${name}${signature}`);
  if (!theirs.size) found.push('emcc declares nothing');
  return found;
}

/** Signatures such as "(string, number): void" by name, "Class.method" or "function". */
function members(text) {
  const found = new Map();
  const flat = withoutComments(text, 'js').replace(/\s+/g, ' ');
  const interfaces = [...flat.matchAll(/\binterface (\w+)[^{]*\{((?:[^{}]|\{[^{}]*\})*)\}/g)];
  const modules = interfaces.filter(([, name]) => /Module$/.test(name));
  const classes = new Set();
  const add = (name, parameters, result) => {
    const kinds = parameters.split(',').filter((each) => each.trim());
    found.set(
      name,
      `(${kinds.map((each) => kind(each.split(':')[1])).join(', ')}): ${kind(result)}`,
    );
  };
  for (const [, , body] of modules) {
    const constructors = /(\w+): (?:new \(([^()]*)\) =>|\{ new ?\(([^()]*)\):) (\w+);/g;
    for (const [, name, a, b, result] of body.matchAll(constructors)) {
      classes.add(result);
      add(`new ${name}`, a ?? b, result);
    }
    for (const [, name, ...rest] of body.replace(constructors, '').matchAll(method))
      if (!name.startsWith('_')) add(name, ...rest);
  }
  for (const [, name, body] of interfaces.filter((each) => classes.has(each[1])))
    for (const [, member, ...rest] of body.matchAll(method)) add(`${name}.${member}`, ...rest);
  return found;
}

const method = /(\w+)\(([^()]*)\): ([^;]+);/g;

/** string, number, boolean, void, any, or the name of a class. */
function kind(type) {
  const text = type.trim();
  if (/^(any|object)$/.test(text)) return 'any';
  if (/\bstring\b|^EmbindString$|^'/.test(text)) return 'string';
  return text.split('|')[0].trim();
}

/** A JavaScript object (any) may be called by a name. */
function agrees(theirs, ours) {
  const [a, b] = [theirs, ours].map((each) => each.match(/\w+/g) ?? []);
  return a.length === b.length && a.every((each, index) => each === 'any' || each === b[index]);
}
