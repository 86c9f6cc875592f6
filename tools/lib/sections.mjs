// Tables in Markdown, and pages that are written by hand but for some sections, each between
// `<!-- name: …` and `<!-- /name -->`.

/** A Markdown table; cells may hold `|`. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The page with another text in its section. */
export function replaceSection(page, name, text) {
  const begin = page.indexOf('-->', page.indexOf(`<!-- ${name}:`)) + '-->'.length;
  const end = page.indexOf(`<!-- /${name} -->`);
  if (!page.includes(`<!-- ${name}:`) || end < begin) throw new Error(`no section ${name}`);
  return `${page.slice(0, begin)}\n\n${text}\n\n${page.slice(end)}`;
}
