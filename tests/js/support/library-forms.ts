// The forms of all sentences that the library can say, read from its sources: what a page has to
// translate. In C++ they are literals that are joined to a Text, or a literal by itself where an
// Error, a Diagnostic or a FloatReason takes one; in TypeScript templates of say``, and literals.
import fs from 'node:fs';
import path from 'node:path';

/** Where a form is said. */
export interface Found {
  form: string;
  kind: 'reason' | 'diagnostic' | 'error' | 'other';
  file: string;
}

function sources(folder: string, extension: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return sources(file, extension);
    return file.endsWith(extension) ? [file] : [];
  });
}

const literal = /^"((?:[^"\\]|\\.)*)"/;

/** What C++ expressions say from `start` on: arguments up to the parenthesis that ends them. */
function cppForms(text: string, start: number): (string | null)[] {
  const forms: (string | null)[] = [];
  for (let at = start; ; ) {
    const { form, end } = cppForm(text, at);
    forms.push(form);
    if (text[end] !== ',') return forms;
    at = end + 1 + /^\s*/.exec(text.slice(end + 1))![0].length;
  }
}

/** Of one expression; `end` is the comma, semicolon or parenthesis after it. */
function cppForm(text: string, start: number): { form: string | null; end: number } {
  let form = '';
  let isKnown = true;
  let params = 0;
  let depth = 0;
  let isOpen = false; // a parameter is being read
  let any = false;
  let i = start;
  for (; i < text.length; i++) {
    const rest = text.slice(i);
    const found = depth === 0 ? literal.exec(rest) : null;
    if (found) {
      form += JSON.parse(`"${found[1]}"`).replace(/[{}]/g, '$&$&');
      any = true;
      isOpen = false;
      i += found[0].length - 1;
    } else if (depth > 0 && literal.test(rest)) {
      i += literal.exec(rest)![0].length - 1;
    } else if (depth === 0 && /^Text\(\s*"/.test(rest)) {
      i += rest.indexOf('"') - 1;
      const [whole] = /^(?:"(?:[^"\\]|\\.)*"\s*)+\)/.exec(rest.slice(rest.indexOf('"')))!;
      for (const part of whole.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
        form += JSON.parse(`"${part[1]}"`).replace(/[{}]/g, '$&$&');
      }
      any = true;
      i += whole.length;
    } else if (depth === 0 && rest.startsWith('Text()')) {
      any = true;
      i += 'Text()'.length - 1;
    } else if (depth === 0 && /^'.'/.test(rest)) {
      form += rest[1]!;
      i += 2;
    } else if ('([{'.includes(text[i]!)) {
      if (depth++ > 0 || isOpen) continue;
      form += `{${params++}}`; // an expression in parentheses
      isOpen = true;
    } else if (')]}'.includes(text[i]!)) {
      if (depth-- === 0) break;
    } else if (depth === 0 && (text[i] === ',' || text[i] === ';')) {
      break;
    } else if (depth === 0 && text[i] === '?') {
      isKnown = false; // one of two: each by itself is a parameter or a literal elsewhere
    } else if (depth === 0 && text[i] === '+') {
      isOpen = false;
    } else if (depth === 0 && /\w/.test(text[i]!) && !isOpen) {
      form += `{${params++}}`;
      isOpen = true;
    }
  }
  const hasWords = any && /[a-zA-Z]{2}/.test(form.replace(/\{\d+\}/g, ''));
  return { form: isKnown && hasWords ? form : null, end: i };
}

const cppBegins: [RegExp, Found['kind']][] = [
  [/FloatReasonCode::k\w+,\s*/g, 'reason'],
  [/\b(?:NotFloat|NotConstant|Unsupported)\(\s*/g, 'reason'],
  [/return \{k\w+,\s*/g, 'reason'],
  [/reason\.text = /g, 'reason'],
  [/Severity::k\w+,\s*"\w+",\s*/g, 'diagnostic'],
  [/Error\(ErrorCode::k\w+,\s*/g, 'error'],
  [/\bRefuse\(\s*/g, 'error'],
  [/WithHint\(\s*/g, 'other'],
];

function formsOfCore(): Found[] {
  return sources('src', '.cc').flatMap((file) => {
    const text = fs.readFileSync(file, 'utf8').replace(/\/\/[^\n]*/g, '');
    return cppBegins.flatMap(([begin, kind]) =>
      [...text.matchAll(begin)].flatMap((match): Found[] => {
        const [first, ...hints] = cppForms(text, match.index + match[0].length);
        const found = (form: string | null, as: Found['kind']) =>
          form ? [{ form, kind: as, file }] : [];
        return [...found(first!, kind), ...hints.flatMap((hint) => found(hint, 'other'))];
      }),
    );
  });
}

/** Templates of say`` in TypeScript: each ${…} is a parameter, whatever is in it. */
function templates(text: string): string[] {
  const forms: string[] = [];
  for (const { index } of text.matchAll(/\bsay`/g)) {
    let form = '';
    let params = 0;
    for (let i = index + 4; text[i] !== '`'; i++) {
      if (text[i] === '\\') {
        form += text[++i];
      } else if (text.startsWith('${', i)) {
        form += `{${params++}}`;
        i = endOfParameter(text, i + 2);
      } else {
        form += text[i]!.replace(/[{}]/, '$&$&');
      }
    }
    forms.push(form);
  }
  return forms;
}

/** Where the brace is that ends the parameter whose expression begins at `start`. */
function endOfParameter(text: string, start: number): number {
  let depth = 0;
  let i = start;
  for (; depth > 0 || text[i] !== '}'; i++) {
    if (text[i] === '{') depth++;
    if (text[i] === '}') depth--;
  }
  return i;
}

const tsLiterals: [RegExp, Found['kind']][] = [
  [/new QuantizeError\(\s*'\w+',\s*'((?:[^'\\]|\\.)*)'/g, 'error'],
  [/\bmessage:\s*'((?:[^'\\]|\\.)*)'/g, 'diagnostic'],
  [/\bhint:\s*'((?:[^'\\]|\\.)*)'/g, 'other'],
];

function tsForms(): Found[] {
  return sources('bindings/js', '.ts')
    .filter((file) => !file.includes(`${path.sep}cli${path.sep}`))
    .flatMap((file) => {
      const text = fs.readFileSync(file, 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '');
      return [
        ...templates(text).map((form): Found => ({ form, kind: 'error', file })),
        ...tsLiterals.flatMap(([pattern, kind]) =>
          [...text.matchAll(pattern)].map(
            ([, form]): Found => ({ form: form!.replace(/\\(.)/g, '$1'), kind, file }),
          ),
        ),
      ];
    });
}

/** All of them; a form that is said in several places is there once. */
export function libraryForms(): Found[] {
  const all = [...formsOfCore(), ...tsForms()];
  return [...new Map(all.map((found) => [found.form, found])).values()];
}
