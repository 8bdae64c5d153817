// One import that waits for a person: the plan, the columns to be mended, Send and Discard.
import {h, renderOnce, replace, setAttribute, setText} from './dom.js';
import {discardImport} from './actions.js';
import {codes, lookUp, prose} from './codes.js';
import {ask, sayProblem} from './dialogs.js';
import {bytes, count, counted, now, time, when} from './format.js';
import {mapping} from './mapping.js';
import {jobLink, pairs, panel, setState, state} from './parts.js';
import {go} from './router.js';
import {table} from './table.js';

const look_every = 1000;

function listed(options, items) {
  const list = table(options);
  list.update(items);
  return list.node;
}

const details = g => `${g.status} ${g.priority} ${g.type}`;

const taskColumns = [
  {title: 'What', text: details},
  {title: 'Due', node: g => time(g.due_at), same: g => g.due_at, class: 'nowrap'},
  {title: 'Owner', node: g => h('code', {class: 'small'}, g.user_id), same: g => g.user_id},
  {title: 'Note', node: g => h('div', {class: 'clamp prewrap'}, g.note ?? ''), same: g => g.note, class: 'wide-cell'},
];

// When it would be done. A plan may be looked at long after it was made.
function forecast(plan, taken_at) {
  if (!plan.expected_end) return '. How long it takes is known when Apollo has told its limits.';
  const end = Date.parse(plan.expected_end);
  if (end > now() + 60000) return [', done by ', time(plan.expected_end, 'both'), ' under the windows as they were when it was planned.'];
  return end - Date.parse(taken_at) < 120000 ? ', done within moments.' : '. Plan again to see when it would be done now.';
}

function summary(plan, taken_at) {
  return [
    h('p', {}, h('strong', {}, `${counted(plan.pending, 'task')} in ${counted(plan.minimum_requests, 'request')}`), forecast(plan, taken_at)),
    h('dl', {class: 'legend big-legend'}, [['read', plan.rows], ['to be sent', plan.pending], ['rejected', plan.rejected], ['duplicates', plan.duplicate], ['groups', plan.groups]]
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, count(value))))),
    plan.search_requests > 0 && h('p', {class: 'small quiet'}, `If 1 % of the contacts are refused, it takes about ${counted(plan.search_requests, 'more request')}.`),
    plan.repeats && h('p', {}, `Looks like job ${plan.repeats.job} again: ${count(plan.repeats.contacts)} of ${count(plan.repeats.of)} contacts have the same task there with another due date.`),
  ];
}

function contacts(plan) {
  const c = plan.contacts ?? {}, find = plan.contacts_to_find;
  const told = [['found by another key than Apollo’s id', c.found], ['not found', c.not_found], ['ambiguous', c.ambiguous], ['keys disagree', c.disagree], ['not known yet', c.unknown], ['to be created', c.to_create]].filter(([, n]) => n);
  if (!told.length && !find) return null;
  return panel('Contacts', pairs(told.map(([name, n]) => [name, counted(n, 'row')])),
    find && h('p', {}, `To find the others takes ${counted(find.requests, 'request')}${find.expected_end ? `, until ${when(find.expected_end)}` : ''}.`));
}

function firstRows(plan) {
  if (!plan.first_rows?.length) return null;
  return panel('First rows, as they will be sent', listed({
    caption: 'The first rows as tasks', key: r => r.row,
    columns: [{title: 'Row', text: r => count(r.row), class: 'num'}, {title: 'Contact', node: r => h('code', {class: 'small'}, r.contact_id ?? r.contact_key ?? ''), same: r => r.contact_id ?? r.contact_key}, ...taskColumns],
  }, plan.first_rows));
}

function rejects(plan, known) {
  if (!plan.rejects?.length) return null;
  return panel('Rejected rows, by reason', h('p', {class: 'quiet'}, 'They are not sent. After sending they can be downloaded, mended and loaded as a file of their own.'), listed({
    caption: 'Reasons, commonest first', key: r => r.code,
    columns: [
      {title: 'Code', node: r => h('code', {class: 'id'}, r.code), same: r => r.code},
      {title: 'Rows', text: r => count(r.rows), class: 'num'},
      {title: 'Example', node: r => h('div', {class: 'clamp prewrap'}, `Line ${count(r.example_line)}${r.example_column ? `, column ${r.example_column}` : ''}: ${r.example_message}`), same: r => r.example_message, class: 'wide-cell'},
      {title: 'What to do', node: r => h('div', {}, prose(known && lookUp(known, r.code)?.remedy || '–')), same: r => [r.code, !!known], class: 'wide-cell'},
    ],
  }, plan.rejects));
}

function groups(plan) {
  if (!plan.largest_groups?.length) return null;
  return panel('Groups', h('p', {class: 'quiet'}, 'Contacts whose other fields are all equal go together, up to 100 in a request.'),
    plan.splitters?.length > 0 && h('div', {class: 'stack'}, h('h3', {}, 'What keeps rows from sharing requests'), h('ul', {class: 'stack'}, plan.splitters.map(split =>
      h('li', {}, h('code', {}, split.field), ` has ${counted(split.distinct, 'value')}. Were it the same everywhere, ${counted(split.requests_without, 'request')} would do${split.expected_end ? `, until ${when(split.expected_end)}` : ''}.`)))),
    h('h3', {}, 'Largest groups'),
    listed({caption: 'Largest groups', key: g => JSON.stringify(g), columns: [{title: 'Rows', text: g => count(g.rows), class: 'num'}, {title: 'Requests', text: g => count(g.requests), class: 'num'}, ...taskColumns]}, plan.largest_groups),
    plan.group_sizes?.length > 0 && h('details', {}, h('summary', {}, 'Groups by size'), listed({
      caption: 'Groups by size', key: g => g.from,
      columns: [{title: 'Rows each', text: g => (g.from === g.to ? count(g.from) : `${count(g.from)} to ${count(g.to)}`)}, {title: 'Groups', text: g => count(g.groups), class: 'num'}, {title: 'Rows', text: g => count(g.rows), class: 'num'}, {title: 'Requests', text: g => count(g.requests), class: 'num'}],
    }, plan.group_sizes)));
}

function aboutFile(file) {
  return [
    h('p', {class: 'small quiet'}, `${file.format}${file.unused.length ? `. Columns that are not used: ${file.unused.join(', ')}` : ''}`),
    file.passed_over.length > 0 && h('ul', {class: 'stack small'}, file.passed_over.map(p => h('li', {}, h('b', {}, p.column), ` is passed over: ${p.why}`))),
    file.remarks.length > 0 && h('ul', {class: 'stack small'}, file.remarks.map(text => h('li', {}, text))),
  ];
}

const waits = {queued: 'It waits to be read.', reading: 'It is read and planned. Nothing is sent.', waiting: 'It is read again soon.'};

export function importView({api, live, signal, path}) {
  const id = path[1];
  let one = null, sent = false, known = null, timer = null, answer = null;
  const title = h('h1', {}, 'Import'), word = state('queued'), lead = h('p', {class: 'lead'}), said = h('p', {role: 'status', class: 'reserve-1'});
  const send = h('button', {class: 'button main', type: 'button', disabled: true}, 'Send'), discard = h('button', {class: 'button danger', type: 'button'}, 'Discard');
  const bar = h('section', {class: 'send-bar', 'aria-label': 'Send or discard', hidden: true}, said, h('div', {class: 'actions'}, discard, send));
  const waiting = panel(null, h('p', {role: 'status'}, 'Reading …')), waiting_text = waiting.firstElementChild;
  const failure = h('section', {class: 'panel attention', hidden: true}), parts = h('div', {class: 'view'}), rest = h('div', {class: 'view'}), form = h('div', {class: 'view'});
  const node = h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('div', {class: 'line'}, title, word), lead), waiting, failure, parts, form, rest, bar);
  const mayWrite = () => live.overview?.role === 'write';

  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(load, look_every);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));

  const showPlan = () => {
    const plan = answer.plan;
    renderOnce(failure, [answer.error, answer.error_code], () => answer.error && [h('h2', {}, 'It cannot be sent like this'), h('p', {class: 'prewrap'}, answer.error)]);
    setAttribute(failure, 'hidden', !answer.error);
    renderOnce(parts, [plan, !!known], () => plan?.rows > 0 && [panel('Plan', summary(plan, one.taken_at)), firstRows(plan), rejects(plan, known)]);
    renderOnce(rest, plan, () => plan?.rows > 0 && [contacts(plan), groups(plan)]);
    renderOnce(form, [answer.files, answer.columns, answer.settings, plan?.unknown_words, mayWrite()], () => panel('Columns', h('p', {class: 'quiet'}, mayWrite() ? 'Mend here what is understood wrongly, then plan again.' : 'The token in use may only look.'),
      answer.files.map(aboutFile), h('fieldset', {class: 'bare', disabled: !mayWrite()}, h('legend', {class: 'visually-hidden'}, 'Which column is what'), mapping(answer, plan_again).node)));
  };

  const show = () => {
    const planned = one.state === 'planned' && answer !== null;
    setText(title, one.name);
    setState(word, one.state);
    setText(lead, `${one.bytes === null || one.bytes === undefined ? '' : `${bytes(one.bytes)}, `}taken ${when(one.taken_at)}${one.first ? `, the first ${counted(one.first, 'row')} only` : ''}${one.again ? ', its tasks are to be made once more' : ''}`);
    setAttribute(waiting, 'hidden', planned);
    setAttribute(parts, 'hidden', !planned);
    setAttribute(form, 'hidden', !planned);
    setAttribute(rest, 'hidden', !planned);
    setAttribute(bar, 'hidden', !one.held || one.job !== null);
    send.disabled = !planned || !mayWrite() || !!answer?.error || sent;
    discard.disabled = !mayWrite() || sent;
    setText(said, sent ? 'It is on its way …' : !mayWrite() && live.overview ? 'The token in use may only look.' : planned ? (answer.error ? 'Mend the columns, or discard it.' : 'Nothing was sent yet.') : 'Nothing is sent while it is read.');
    if (planned) showPlan();
    else setAttribute(failure, 'hidden', true);
  };

  const load = async () => {
    let wait = false;
    try {
      one = await api.get(`/v1/imports/${encodeURIComponent(id)}`, {}, signal);
      if (one.job !== null && sent) {
        go(['jobs', one.job]);
        return;
      }
      if (one.state === 'planned' && !sent) {
        try {
          answer = await api.get(`/v1/imports/${encodeURIComponent(id)}/plan`, {}, signal);
        } catch (error) {
          if (error.type !== 'not-planned') throw error;
          answer = null;
          wait = true;
        }
      } else wait = ['queued', 'reading', 'waiting', 'planned'].includes(one.state);
      show();
      if (one.state === 'failed' || one.state === 'done' || one.job !== null) {
        replace(waiting, h('p', {}, one.state === 'failed' ? [h('strong', {}, 'It has failed. '), one.error, ' ', h('a', {href: '#/imports?place=failed'}, 'Failed files')] : ['It was sent: ', jobLink(one.job), '.']));
      } else setText(waiting_text, sent ? 'It is on its way …' : one.error ? `${waits[one.state] ?? ''} ${one.error}` : waits[one.state] ?? '');
    } catch (error) {
      if (error.type === 'unknown-import') replace(node, h('h1', {}, 'There is no such import'), panel(null, h('p', {}, 'It was discarded, or its folder was removed. ', h('a', {href: '#/imports'}, 'All imports'))));
      else sayProblem(error);
      wait = error.name === 'Unreachable';
    }
    if (wait && !signal.aborted) again();
  };

  const plan_again = async text => {
    try {
      await api.putToml(`/v1/imports/${encodeURIComponent(id)}/settings`, text);
      answer = null;
      one.state = 'queued';
      setText(waiting_text, 'It is planned again with these settings. Nothing is sent.');
      show();
      scrollTo(0, 0);
      load();
    } catch (error) {
      sayProblem(error);
    }
  };

  send.addEventListener('click', async () => {
    // What is asked about is what is started, whatever comes in meanwhile.
    const {plan, plan_id} = answer;
    if (!await ask({title: `Send ${counted(plan.pending, 'task')}?`, action: 'Send', points: [
      `Creates ${counted(plan.pending, 'task')} in Apollo${live.overview ? ` (${live.overview.apollo.host})` : ''} with at least ${counted(plan.minimum_requests, 'request')}.`, plan.expected_end && Date.parse(plan.expected_end) > now() + 60000 ? `The end is expected ${when(plan.expected_end)}.` : null,
      plan.rejected ? `${counted(plan.rejected, 'rejected row')} ${plan.rejected === 1 ? 'is' : 'are'} left out.` : null, 'Tasks that are created cannot be deleted through Apollo’s API. You can pause or cancel what is not sent yet.'].filter(Boolean)})) return;
    try {
      send.disabled = true;
      await api.post(`/v1/imports/${encodeURIComponent(id)}/start?plan=${plan_id}`);
      sent = true;
      show();
      again();
    } catch (error) {
      sayProblem(error);
      // Somebody else may have changed the plan: what is sent is what was seen.
      answer = null;
      show();
      load();
    }
  });
  discard.addEventListener('click', async () => { if (await discardImport(api, one)) go(['imports']); });

  codes(api).then(all => { known = all; if (answer) showPlan(); }).catch(() => {});
  live.addEventListener('import', ({detail: d}) => { if (d.import === id) again(); }, {signal});
  live.addEventListener('caught-up', again, {signal});
  live.addEventListener('overview', () => { if (one) show(); }, {signal});
  load();
  return {title: 'Import', node};
}
