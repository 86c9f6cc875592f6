// Comments of C++ and JavaScript: their words, their width. A comment that names a file or a
// function which is gone sends its reader looking for it, so every name must be found.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../lib/paths.mjs';

/**
 * {comments: [{line, text}] (a line each), code: the text with comments blanked}. `language`: 'js'
 * or 'c++'.
 */
export function scan(text, language) {
  const comments = [];
  let code = '';
  let line = 1;
  let at = 0;
  let last = ''; // the last character of code that is no space
  const templates = []; // depth of braces in each open ${…}
  const take = (length, keep) => {
    const part = text.slice(at, at + length);
    code += keep ? part : part.replace(/[^\n]/g, ' ');
    line += part.split('\n').length - 1;
    at += length;
    return part;
  };
  const comment = (length) => {
    const first = line;
    const lines = take(length, false).split('\n');
    for (const [index, each] of lines.entries()) comments.push({ line: first + index, text: each });
  };
  const until = (pattern, from = at + 1) => {
    pattern.lastIndex = from;
    const found = pattern.exec(text);
    return (found ? found.index + found[0].length : text.length) - at;
  };
  const template = () => {
    const part = take(until(/(?<!\\)(?:\\\\)*(?:`|\$\{)/g), true);
    if (part.endsWith('${')) templates.push(0);
    last = '`';
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const char = rest[0];
    if (rest === '//') comment(until(/(?=\n)/g));
    else if (rest === '/*') comment(until(/\*\//g, at + 2));
    else if (language === 'c++' && rest === 'R"') {
      const [, mark] = /^R"([^(]*)\(/.exec(text.slice(at, at + 20)) ?? [null, ''];
      take(text.indexOf(`)${mark}"`, at) + mark.length + 2 - at, true);
      last = '"';
    } else if (char === '"' || (char === "'" && !(language === 'c++' && /\w/.test(last)))) {
      take(until(new RegExp(`(?<!\\\\)(?:\\\\\\\\)*(?:${char}|\\n)`, 'g')), true);
      last = char;
    } else if (language === 'js' && char === '`') template();
    else if (language === 'js' && char === '}' && templates.at(-1) === 0) {
      templates.pop();
      template();
    } else if (language === 'js' && char === '/' && startsRegex(code, last)) {
      take(until(/(?:[^\\[/\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*\//y), true);
      last = '/';
    } else {
      if (templates.length && char === '{') templates[templates.length - 1]++;
      if (templates.length && char === '}') templates[templates.length - 1]--;
      if (/\S/.test(char)) last = char;
      take(1, true);
    }
  }
  return { comments, code };
}

const startsRegex = (code, last) =>
  '(,=:[!&|?{};+'.includes(last) || /\b(return|case|typeof)\s*$/.test(code.slice(-12));

export const withoutComments = (text, language) => scan(text, language).code;

const width = 100;
const languages = { ts: 'js', tsx: 'js', mts: 'js', mjs: 'js', cc: 'c++', h: 'c++' };
const language = (file) => languages[file.split('.').pop()];
const endings = 'ts|tsx|mts|mjs|js|cc|h|hpp|py|md|json|cmake|html|css|proto|txt';
const fileName = new RegExp(
  `(?<![\\w.*…/<-])((?:[\\w@.-]+/)*[\\w-][\\w.-]*\\.(?:${endings}))(?![\\w/])`,
  'g',
);
const cppName = /(?<![\w:.])([A-Za-z_]\w*)::([A-Za-z_]\w*)/g;
const callName = /(?<![\w:])([A-Za-z_]\w*)\(\)/g;

/** Names of others that our comments may speak of: files, folders, functions, namespaces. */
const foreignFiles = /^(onnx-ml\.proto|onnx\.proto|(onnx|onnxruntime|numpy|scipy)\/.*)$/;
const foreignCalls = new Set(['repr', 'tofile']);
const foreignSpaces = new Set(['std', 'onnx', 'google', 'protobuf', 'nlohmann', 'emscripten']);

/** What is wrong with the comments of all files in the repository, one line each. */
export function checkComments() {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
    .toString()
    .trim()
    .split('\n')
    .filter((file) => fs.existsSync(path.join(root, file)));
  const sources = files.filter(language).filter((file) => !file.includes('fixtures/'));
  const scanned = sources.map((file) => {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    return { file, lines: text.split('\n'), ...scan(text, language(file)) };
  });
  const words = new Set(scanned.flatMap(({ code }) => code.match(/[A-Za-z_]\w*/g) ?? []));
  for (const file of files.filter((each) => each.endsWith('.py'))) {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    for (const word of text.match(/[A-Za-z_]\w*/g) ?? []) words.add(word);
  }
  const known = (name) => {
    const source = name.replace(/^(\.\.?\/)+/, '').replace(/^dist\//, 'bindings/js/');
    return [source, source.replace(/\.m?js$/, '.ts'), source.replace(/\.mjs$/, '.d.mts')].some(
      (each) => files.some((file) => file === each || file.endsWith(`/${each}`)),
    );
  };
  const problems = [];
  for (const { file, lines, comments } of scanned) {
    for (const { line, text } of comments) {
      const say = (what) => problems.push(`${file}:${line}: ${what}`);
      const plain = text.replace(/\bhttps?:\/\/\S+/g, '');
      const long = lines[line - 1].length;
      if (long > width && !/https?:\/\//.test(text)) say(`a comment of ${long} columns`);
      for (const [, name] of plain.matchAll(fileName))
        if (!known(name) && !foreignFiles.test(name)) say(`no file ${name}`);
      for (const [whole, space, name] of plain.matchAll(cppName))
        if (!foreignSpaces.has(space) && !(words.has(space) && words.has(name))) say(`no ${whole}`);
      for (const [, name] of plain.matchAll(callName))
        if (!words.has(name) && !foreignCalls.has(name)) say(`no ${name}()`);
    }
  }
  return problems;
}
