// How a file is understood, as a form: which column is what, what counts where there is none, dates, words. Gives settings as TOML.
import {h, setAttribute, setText} from './dom.js';
import {counted} from './format.js';
import {read, write} from './toml.js';

const words = {
  type: ['call', 'outreach_manual_email', 'linkedin_step_connect', 'linkedin_step_message', 'linkedin_step_view_profile', 'linkedin_step_interact_post', 'action_item'],
  priority: ['high', 'medium', 'low'],
  status: ['scheduled', 'completed', 'skipped'],
};

const fields = [
  ['contact_id', 'Contact, Apollo’s id'], ['email', 'Contact, e-mail'], ['salesforce_id', 'Contact, Salesforce id'], ['hubspot_id', 'Contact, HubSpot id'],
  ['linkedin_url', 'Contact, LinkedIn'], ['user_id', 'Owner, Apollo’s id', true], ['owner_email', 'Owner, e-mail', true], ['type', 'Type', true],
  ['priority', 'Priority', true], ['status', 'Status', true], ['due_at', 'Due', true], ['note', 'Note', true],
];

const sources = {name: 'by its name', alias: 'by a name that is understood', settings: 'by the settings', default: 'no column'};

const option = (value, text, chosen) => {
  const node = h('option', {value}, text);
  node.selected = value === chosen;
  return node;
};

// A choice of the API's words, or of nothing.
function wordChoice(id, label, choices, chosen, nothing) {
  const known = chosen && !choices.includes(chosen) ? [...choices, chosen] : choices;
  return h('select', {id, 'aria-label': label}, option('', nothing, chosen), known.map(word => option(word, word, chosen)));
}

// A column as a choice: its name, and what stands in it.
function named(column, examples = []) {
  const shown = examples.filter(Boolean).join(', ');
  return `${column || '(without name)'}${shown ? `: ${[...shown].length > 40 ? `${[...shown].slice(0, 40).join('')}…` : shown}` : ''}`;
}

/**
 * The form for one planned import. `plan` is the answer of the API. `on_submit(toml)` plans again. Gives {node}.
 */
export function mapping(answer, on_submit) {
  const taken_as = answer.files[0]?.fields ?? [];
  const columns = answer.columns.map(c => c.column);
  const before = answer.settings ?? '';
  const tables = read(before);
  const whole = h('textarea', {id: 'settings-text', spellcheck: 'false', 'aria-describedby': 'settings-hint', value: before});
  const submit = h('button', {class: 'button', type: 'submit'}, 'Plan again');
  const said = h('span', {class: 'quiet', role: 'status'});
  const changed = () => {
    const is = whole.value !== before;
    setAttribute(submit, 'class', is ? 'button main' : 'button');
    setText(said, is ? 'Changed. Plan again to see what comes of it.' : '');
  };
  const as_text = h('details', {}, h('summary', {}, 'Settings of this file as text'),
    h('p', {class: 'hint', id: 'settings-hint'}, 'TOML, as docs/settings.md describes it: [columns], [defaults], [dates], [values.type], [import] and so on.'),
    h('label', {for: 'settings-text', class: 'visually-hidden'}, 'Settings'), whole);
  whole.addEventListener('input', changed);
  const node = h('form', {class: 'stack', on: {submit(event) {
    event.preventDefault();
    on_submit(whole.value);
  }}});

  if (!tables || columns.length === 0) {
    as_text.open = true;
    node.append(h('p', {}, tables ? 'No column could be read.' : 'These settings were written by hand, and hold more than this form knows. Change them as text.'), as_text, h('div', {class: 'actions'}, submit, said));
    return {node};
  }

  // Sets or removes one setting, and shows the whole as text.
  const put = (table, key, value) => {
    if (!tables.has(table)) tables.set(table, new Map());
    if (value === null || value === '') tables.get(table).delete(key);
    else tables.get(table).set(key, value);
    whole.value = write(tables);
    changed();
  };
  const has = (table, key) => tables.get(table)?.get(key);

  const rows = fields.map(([field, label, defaults]) => {
    const taken = taken_as.find(f => f.field === field);
    const set = has('columns', field);
    const found = taken?.column && set === undefined ? taken.column : 'none found';
    // A column's place tells it from "as found" and "no column", whatever it is called.
    const texts = typeof set === 'string' && set !== '' && !columns.includes(set) ? [...columns, set] : columns;
    const chosen = set === undefined ? 'found' : set === false || set === '' ? 'none' : String(texts.indexOf(set));
    const column = h('select', {id: `column-${field}`, 'aria-label': `Column of ${label}`}, option('found', `as found: ${set === undefined ? found : 'look again'}`, chosen), option('none', 'no column', chosen),
      texts.map((text, i) => option(String(i), named(text, answer.columns[i]?.examples), chosen)));
    const row = h('div', {class: 'mapping-row'}, h('div', {}, h('div', {class: 'label'}, label), h('div', {class: 'small quiet'}, h('code', {}, field), taken && `, ${sources[taken.source] ?? taken.source}`)), column);
    const mark = () => setAttribute(row, 'class', column.value !== chosen || (value && value.value !== text) ? 'mapping-row changed' : 'mapping-row');
    column.addEventListener('change', () => {
      put('columns', field, column.value === 'found' ? null : column.value === 'none' ? false : texts[Number(column.value)]);
      mark();
    });
    const text = String(has('defaults', field) ?? '');
    const name = `Value of ${label} where the file has none`;
    const value = !defaults ? null : words[field] ? wordChoice(`default-${field}`, name, words[field], text, field === 'priority' ? 'else medium' : 'else: nothing')
      : h('input', {id: `default-${field}`, 'aria-label': name, placeholder: 'else: nothing', spellcheck: 'false', autocomplete: 'off', value: text});
    value?.addEventListener('change', () => {
      put('defaults', field, value.value);
      mark();
    });
    if (value) row.append(value);
    return row;
  });

  const labelled = (id, label, hint, control) => h('div', {class: 'field grow'}, h('label', {for: id}, label), control, h('span', {class: 'hint', id: `${id}-hint`}, hint));
  const date = (key, label, hint, extra = {}) => {
    const id = `dates-${key}`;
    const kept = has('dates', key);
    const control = h('input', {id, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${id}-hint`, value: Array.isArray(kept) ? kept.join(', ') : kept ?? '', ...extra});
    control.addEventListener('change', () => {
      const text = control.value.trim();
      put('dates', key, key === 'formats' && text ? text.split(/,\s*/).filter(Boolean) : text);
    });
    return labelled(id, label, hint, control);
  };
  const zones = h('datalist', {id: 'zones'}, Intl.supportedValuesOf('timeZone').map(zone => h('option', {value: zone})));

  // Words of the file that nobody knows, and those that were explained already.
  const unknown = new Map();
  for (const w of answer.plan?.unknown_words ?? []) unknown.set(`${w.field}\n${w.word}`, w);
  for (const field of ['type', 'priority', 'status', 'owner']) {
    for (const word of tables.get(`values.${field}`)?.keys() ?? []) if (!unknown.has(`${field}\n${word}`)) unknown.set(`${field}\n${word}`, {field, word, rows: null});
  }
  const explain = [...unknown.values()].map((w, i) => {
    const kept = has(`values.${w.field}`, w.word) ?? '';
    const label = `What “${w.word}” means`;
    const control = words[w.field] ? wordChoice(`word-${i}`, label, words[w.field], kept, 'not known: rejected')
      : h('input', {id: `word-${i}`, 'aria-label': label, placeholder: 'id, address or full name', spellcheck: 'false', autocomplete: 'off', value: kept});
    control.addEventListener('change', () => put(`values.${w.field}`, w.word, control.value));
    return h('div', {class: 'mapping-row'}, h('div', {}, h('div', {class: 'label'}, w.word), h('code', {class: 'small quiet'}, w.field)), control, h('span', {class: 'quiet small'}, w.rows === null ? '' : counted(w.rows, 'row')));
  });

  node.append(
    h('div', {class: 'mapping-row small quiet'}, h('b', {}, 'Field'), h('b', {}, 'Column in the file'), h('b', {}, 'Where the file has none')),
    h('div', {class: 'mapping'}, rows),
    explain.length ? h('div', {class: 'stack'}, h('h3', {}, 'Words of this file'), h('div', {class: 'mapping'}, explain)) : '',
    h('h3', {}, 'Dates'),
    h('div', {class: 'filters'}, date('timezone', 'Time zone', 'For times without one', {list: 'zones', placeholder: 'Europe/Berlin'}), date('time', 'Time of day', 'For days without a time', {placeholder: '09:00'}),
      date('formats', 'Formats', 'Such as %m/%d/%Y; several with commas', {placeholder: '%d.%m.%Y'}), zones),
    as_text, h('div', {class: 'actions'}, submit, said));
  return {node};
}
