// What became of a contact, over all jobs.
import {h, setText} from './dom.js';
import {codes} from './codes.js';
import {sayProblem} from './dialogs.js';
import {counted} from './format.js';
import {panel} from './parts.js';
import {go} from './router.js';
import {rowTable} from './rows.js';
import {latest} from './soon.js';

const kinds = {
  contact_id: 'a contact’s id in Apollo', task_id: 'a task’s id in Apollo', email: 'an e-mail address', salesforce_id: 'an id of Salesforce',
  hubspot_id: 'an id of HubSpot', linkedin_url: 'a profile on LinkedIn', unknown: 'something that is no id or address that is known here',
};

export function find({api, signal, parameters: first}) {
  let known = null, all = [];
  const field = h('input', {id: 'find', type: 'search', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'find-hint'});
  const said = h('p', {class: 'quiet reserve-1', role: 'status'});
  const rows = rowTable({known: () => known, of_job: true});
  const form = h('form', {class: 'filters', role: 'search', on: {submit(event) {
    event.preventDefault();
    go(['find'], {q: field.value.trim()});
  }}},
    h('div', {class: 'field grow'}, h('label', {for: 'find'}, 'Contact or task'), field),
    h('button', {class: 'button main', type: 'submit'}, 'Find'));
  const area = panel(null, said, rows.node);

  const next = latest(signal);
  const show = async parameters => {
    const query = parameters.q ?? '';
    field.value = query;
    area.hidden = query === '';
    if (!query) return;
    setText(said, 'Looking …');
    const mine = next();
    try {
      const answer = await api.get('/v1/rows', {q: query, limit: 100}, mine);
      all = answer.rows;
      const who = answer.contacts.length ? ` Contact ${answer.contacts.slice(0, 5).join(', ')}${answer.contacts.length > 5 ? ' and others' : ''}.` : '';
      setText(said, `Taken for ${kinds[answer.kind] ?? answer.kind}.${who} ${all.length === 0 ? 'No row of any job is known by it. Rows that were rejected for something else than their contact are not searched; they stand in the rejects of their job.' : `${counted(all.length, 'row')}${answer.more ? ', and there may be more' : ''}, newest job first.`}`);
      rows.update(all);
    } catch (error) {
      if (mine.aborted) return;
      setText(said, '');
      rows.update([]);
      sayProblem(error);
    }
  };
  codes(api).then(read => { known = read; rows.update(all); }).catch(() => {});
  show(first);
  return {
    title: 'Find',
    node: h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('h1', {}, 'What became of this contact?'), h('p', {class: 'lead'}, 'Looks through the rows of all jobs.')), panel(null, form, h('p', {class: 'hint', id: 'find-hint'}, 'A contact’s id, an e-mail address, an id of Salesforce or HubSpot, a LinkedIn profile, or a task’s id.')), area),
    parameters: show,
  };
}
