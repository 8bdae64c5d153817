// The little of TOML that the page writes: tables of texts, numbers and lists of texts. Other settings are edited as text.

/** A text in double quotes. */
export function quote(text) {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007F');
}

const bare = /^[A-Za-z0-9_-]+$/;
const key = text => (bare.test(text) ? text : quote(text));

/** Tables (a Map from name to a Map from key to value) as TOML. Values: text, number, boolean, list of texts. */
export function write(tables) {
  const value = v => (Array.isArray(v) ? `[${v.map(quote).join(', ')}]` : typeof v === 'string' ? quote(v) : String(v));
  return [...tables].filter(([, table]) => table.size > 0)
    .map(([name, table]) => `[${name}]\n${[...table].map(([k, v]) => `${key(k)} = ${value(v)}\n`).join('')}`).join('\n');
}

const escapes = {b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\'};
const text_form = /^"((?:[^"\\\u0000-\u001f]|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*)"|^'([^'\u0000-\u001f]*)'/;

// A text at the start of `line`: [value, rest], or null.
function takeText(line) {
  const found = text_form.exec(line);
  if (!found) return null;
  const value = found[2] ?? found[1].replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four, eight, one) => (one ? escapes[one] : String.fromCodePoint(parseInt(four ?? eight, 16))));
  return [value, line.slice(found[0].length).trimStart()];
}

function takeValue(line) {
  const text = takeText(line);
  if (text) return text;
  const plain = /^(true|false|[+-]?\d+(?:\.\d+)?)(?=\s|#|$)/.exec(line);
  if (plain) return [plain[1] === 'true' ? true : plain[1] === 'false' ? false : Number(plain[1]), line.slice(plain[0].length).trimStart()];
  if (!line.startsWith('[')) return null;
  const list = [];
  let rest = line.slice(1).trimStart();
  while (!rest.startsWith(']')) {
    const item = takeText(rest);
    if (!item) return null;
    list.push(item[0]);
    rest = item[1];
    if (rest.startsWith(',')) rest = rest.slice(1).trimStart();
    else if (!rest.startsWith(']')) return null;
  }
  return [list, rest.slice(1).trimStart()];
}

/** The tables of a TOML text, or null where it holds more than the page can write. Comments are lost. */
export function read(text) {
  const tables = new Map();
  let table = null;
  for (const whole of text.split(/\r?\n/)) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const head = /^\[([A-Za-z0-9_.-]+)\]\s*(#.*)?$/.exec(line);
    if (head) {
      if (tables.has(head[1])) return null;
      tables.set(head[1], table = new Map());
      continue;
    }
    const named = takeText(line) ?? (/^[A-Za-z0-9_-]+/.test(line) ? [/^[A-Za-z0-9_-]+/.exec(line)[0], line.replace(/^[A-Za-z0-9_-]+\s*/, '')] : null);
    if (!table || !named || !named[1].startsWith('=') || table.has(named[0])) return null;
    const value = takeValue(named[1].slice(1).trimStart());
    if (!value || (value[1] !== '' && !value[1].startsWith('#'))) return null;
    table.set(named[0], value[0]);
  }
  return tables;
}
