// What onnxruntime says went wrong, as part of an error of one line: without colours, its own
// prefixes, and where in its sources the check stands. The facts stand at the end and are kept.

const longest = 400;
const head = 100;

export function reason(cause: unknown): string {
  const text = (cause instanceof Error ? cause.message : String(cause))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/^Can't create a session\. ERROR_CODE: \d+, ERROR_MESSAGE: /, '')
    .replace(/^failed to call OrtRun\(\)\. ERROR_CODE: \d+, ERROR_MESSAGE: /, '')
    .replace(/\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /g, '');
  return shortened(withoutPlaces(text).trim());
}

/** Whether it says that there was no memory left. */
export const isOutOfMemory = (text: string): boolean =>
  /bad_alloc|failed to allocate memory|out of memory|Aborted\(OOM\)|SafeIntOnOverflow|array buffer allocation failed|invalid typed array length/i.test(
    text,
  );

/** Takes out places with the function's signature: "/build/path/file.cc:12 void F(int) const ". */
function withoutPlaces(text: string): string {
  const place = /(?:\S*[/\\])?[\w.]+\.(?:cc|cpp|h|hpp):\d+ /g;
  let result = '';
  let rest = 0;
  for (let found = place.exec(text); found; found = place.exec(text)) {
    result += text.slice(rest, found.index);
    rest = found.index + found[0].length;
    rest += signatureLength(text.slice(rest));
    place.lastIndex = rest;
  }
  return result + text.slice(rest);
}

/** Length of the C++ function's signature that `text` begins with; 0 where it begins with none. */
function signatureLength(text: string): number {
  const begin = /^[\w:<>,*&~ ]+?\(/.exec(text)?.[0];
  if (!begin || !/::|^(?:void|bool|int|static|virtual|auto) /.test(begin)) return 0;
  let depth = 0;
  for (let i = begin.length - 1; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] !== ')' || --depth > 0) continue;
    const after = /^(?:::<lambda\([^)]*\)>)?(?: const)?(?: \[with [^\]]*\])? ?/.exec(
      text.slice(i + 1),
    );
    return i + 1 + (after?.[0].length ?? 0);
  }
  return 0;
}

function shortened(text: string): string {
  if (text.length <= longest) return text;
  const begin = text.slice(0, head).replace(/\S*$/, '');
  return `${begin}… ${text.slice(head - longest).replace(/^\S*\s/, '')}`;
}
