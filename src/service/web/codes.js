// The words of docs/codes.md: what a code means and what to do. The file is served with the page, so both say the same.
import {h} from './dom.js';

let reading = null;

/** A map from code to {meaning, remedy, section}; read once. */
export function codes(api) {
  reading ??= api.get('/assets/codes.md').then(parse).catch(error => {
    reading = null;
    throw error;
  });
  return reading;
}

const other_remedies = {
  'Unknown rows': 'Verify looks them up again and creates nothing. What cannot be decided is sent again only by “Retry unknown”.',
  'Duplicates without a task': 'See the other row: when it has its task, this one has it too.',
};

export function parse(text) {
  const found = new Map();
  let section = '', head = null, last = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3).trim();
    if (!line.startsWith('|')) {
      head = null;
      continue;
    }
    const cells = line.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map(cell => cell.trim().replaceAll('\\|', '|'));
    if (!head) {
      head = cells;
      continue;
    }
    if (/^:?-+:?$/.test(cells[0])) continue;
    if (head[0] !== 'code') continue;
    const meaning = cells[1] ?? '';
    const remedy = head[2] === 'what to do' ? cells[2] ?? '' : other_remedies[section] ?? '';
    const entry = {section, meaning, remedy: remedy === 'The same.' && last ? last.remedy : remedy};
    for (const [, code] of cells[0].matchAll(/`([a-z0-9_]+)`/g)) if (!found.has(code)) found.set(code, entry);
    last = entry;
  }
  return found;
}

/** What is known of a code, also of the many `http_…` and `refused_…`. */
export function lookUp(all, code) {
  return all.get(code) ?? (code.startsWith('refused_') ? all.get('refused_422') : code.startsWith('http_') ? all.get('http_500') : undefined) ?? null;
}

/** A line of the docs as nodes: `code` in its own element, links as their text. */
export function prose(text) {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').split(/(`[^`]+`)/).filter(Boolean)
    .map(part => (part.startsWith('`') ? h('code', {}, part.slice(1, -1)) : part.replaceAll('\\*', '*')));
}
