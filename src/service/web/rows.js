// The rows of a job, page by page: search by contact, filter by state and code, and a way back.
import {h, renderOnce, setAttribute, setText} from './dom.js';
import {row_states} from './charts.js';
import {codes, lookUp, prose} from './codes.js';
import {sayProblem} from './dialogs.js';
import {count, time} from './format.js';
import {jobLink, pairs, state} from './parts.js';
import {go} from './router.js';
import {table} from './table.js';

const page = 50, most_pages_back = 1000;

/** What became of a row, as a table. `known` gives the map of codes, or null. With `of_job` each names its job. */
export function rowTable({known, of_job = false, empty}) {
  return table({
    caption: 'Rows and what became of them',
    empty,
    key: row => `${row.job ?? ''}:${row.row}`,
    columns: [
      of_job && {title: 'Job', node: row => jobLink(row.job, String(row.job)), same: row => row.job},
      {title: 'Row', text: row => count(row.row), class: 'num'},
      {title: 'Where', text: row => `${row.file.split('/').at(-1)}:${row.line}`, class: 'where'},
      {title: 'Contact', node: contact, same: row => [row.contact_id, row.contact_key]},
      {title: 'State', node: row => state(row.state), same: row => row.state},
      {title: 'Task, or why none', node: row => outcome(row, known()), same: row => [row, known() !== null], class: 'wide-cell'},
      {title: 'Sent', text: row => count(row.attempts), class: 'num second'},
      {title: 'Settled', node: row => time(row.finished_at, 'seconds'), same: row => row.finished_at, class: 'nowrap'},
    ].filter(Boolean),
  });
}

function contact(row) {
  return h('div', {}, row.contact_id ? h('code', {class: 'id'}, row.contact_id) : h('span', {class: 'quiet'}, 'not known'), row.contact_key && h('div', {class: 'small quiet'}, row.contact_key));
}

function outcome(row, known) {
  const entry = row.code && known ? lookUp(known, row.code) : null;
  const entries = () => [
    ['Column', row.column], ['Request', row.request_id && h('code', {}, row.request_id)],
    ['Same task as', row.duplicate_of && h('span', {}, 'row ', count(row.duplicate_of.row), ' of ', jobLink(row.duplicate_of.job))],
    ['What it means', entry && h('span', {}, prose(entry.meaning))], ['What to do', entry?.remedy && h('span', {}, prose(entry.remedy))],
  ];
  return h('div', {},
    row.task_id && h('div', {}, 'task ', h('code', {class: 'id'}, row.task_id)),
    row.possible_duplicate && h('div', {class: 'bad-text small'}, 'Sent again although an earlier request may have worked: the task may be there twice.'),
    row.code && h('div', {}, h('code', {class: 'id'}, row.code)),
    row.message && h('div', {class: 'small clamp prewrap'}, row.message),
    (row.column || row.request_id || row.duplicate_of || entry) && details(`More about row ${row.row}`, () => [row.message?.length > 200 && h('p', {class: 'small prewrap'}, row.message), pairs(entries())]));
}

// What is behind "More" is made when it is opened: a page of rows has it fifty times.
function details(label, make) {
  const node = h('details', {on: {toggle() { if (node.childElementCount === 1) node.append(h('div', {class: 'stack'}, make())); }}}, h('summary', {'aria-label': label}, 'More'));
  return node;
}

/** Gives {node, show(parameters), codesAre(list), reload()}. Filters and page stand in the address. */
export function jobRows({api, job, signal}) {
  let parameters = {}, next = null, known = null, trail = [], busy = null;
  const rows = rowTable({known: () => known, empty: 'No row is like this.'});
  const area = h('div', {class: 'rows-area'}, rows.node), said = h('p', {class: 'quiet small', role: 'status'});
  const contact_field = h('input', {id: 'rows-contact', type: 'search', spellcheck: 'false', autocomplete: 'off', placeholder: 'id or e-mail'});
  const state_field = h('select', {id: 'rows-state'}, h('option', {value: ''}, 'all states'), row_states.map(name => h('option', {value: name}, name)));
  const code_list = h('datalist', {id: 'rows-codes'});
  const code_field = h('input', {id: 'rows-code', list: 'rows-codes', spellcheck: 'false', autocomplete: 'off', placeholder: 'all codes'});
  const back = h('button', {class: 'button', type: 'button', on: {click: () => turn(trail.at(-2) ?? '')}}, 'Page before');
  const first = h('button', {class: 'button', type: 'button', on: {click: () => turn('')}}, 'First page');
  const forward = h('button', {class: 'button', type: 'button', on: {click: () => turn(String(next))}}, 'Next page');
  const filter = () => go(['jobs', job], {contact: contact_field.value.trim(), state: state_field.value, code: code_field.value.trim()});
  const turn = after => go(['jobs', job], {...parameters, after});
  const form = h('form', {class: 'filters', on: {submit(event) { event.preventDefault(); filter(); }}},
    h('div', {class: 'field grow'}, h('label', {for: 'rows-contact'}, 'Contact'), contact_field),
    h('div', {class: 'field'}, h('label', {for: 'rows-state'}, 'State'), state_field),
    h('div', {class: 'field'}, h('label', {for: 'rows-code'}, 'Code'), code_field, code_list),
    h('button', {class: 'button', type: 'submit'}, 'Show'),
    h('button', {class: 'button', type: 'button', on: {click: () => go(['jobs', job])}}, 'All rows'));
  state_field.addEventListener('change', filter);

  const load = async () => {
    busy?.abort();
    const mine = busy = new AbortController();
    setAttribute(area, 'aria-busy', 'true');
    try {
      const answer = await api.get(`/v1/jobs/${job}/rows`, {limit: page, ...parameters}, AbortSignal.any([mine.signal, signal]));
      next = answer.next_after;
      rows.update(answer.rows);
      const from = answer.rows[0]?.row, to = answer.rows.at(-1)?.row;
      setText(said, answer.rows.length === 0 ? '' : `${count(answer.rows.length)} rows, from row ${count(from)} to row ${count(to)}${next === null ? '; these are the last' : ''}`);
      back.disabled = first.disabled = !parameters.after;
      forward.disabled = next === null;
    } catch (error) {
      if (error.type !== 'unknown-job') sayProblem(error);  // the view says that
    } finally {
      if (mine === busy) setAttribute(area, 'aria-busy', null);
    }
  };
  codes(api).then(all => { known = all; load(); }).catch(() => {});

  return {
    node: h('section', {class: 'panel', id: 'rows'}, h('header', {}, h('h2', {}, 'Rows'), said), form, area, h('div', {class: 'pager'}, h('div', {class: 'actions'}, first, back), forward)),
    show(changed) {
      const same = ['contact', 'state', 'code'].every(name => (changed[name] ?? '') === (parameters[name] ?? ''));
      const after = changed.after ?? '';
      if (!same) trail = [];
      const seen = trail.indexOf(after);
      if (seen >= 0) trail.length = seen + 1;
      else trail.push(after);
      if (trail.length > most_pages_back) trail.shift();
      parameters = {contact: changed.contact, state: changed.state, code: changed.code, after: changed.after};
      contact_field.value = changed.contact ?? '';
      state_field.value = changed.state ?? '';
      code_field.value = changed.code ?? '';
      load();
    },
    codesAre(list) {
      renderOnce(code_list, list, () => list.map(code => h('option', {value: code})));
    },
    reload: load,
  };
}
