// One job: how far it is, why rows are not created and what to do, its rows, requests, input and settings.
import {h, keyed, renderOnce, replace, setAttribute, setText} from './dom.js';
import {commandButtons, downloadLink} from './actions.js';
import {bars, course} from './charts.js';
import {codes, lookUp, prose} from './codes.js';
import {sayProblem} from './dialogs.js';
import {fieldTable} from './fields.js';
import {bytes, count, counted, now, setTime, time, when} from './format.js';
import {counts} from './live.js';
import {countsBar, doing, eventList, filesOf, pairs, panel, setState, share, state, until} from './parts.js';
import {link} from './router.js';
import {jobRows} from './rows.js';
import {latest, soon} from './soon.js';
import {table} from './table.js';

const steps = [10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 24 * 3600];
const most_bars = 96;

function stepFor(seconds) {
  return steps.find(step => seconds / step <= most_bars) ?? Math.ceil(seconds / most_bars / 86400) * 86400;
}

// Throughput, and how the job is expected to go on.
function progressCharts(api, number, signal) {
  const way = course({caption: 'Tasks created since the job began', heads: ['Until', 'Created in all']});
  const pace = bars({caption: 'Tasks created by time', heads: ['From', 'Created', 'Requests', 'Refused by a rate window', 'Failed'], low: true});
  const title = h('h3'), nothing = h('p', {class: 'quiet'}, 'No request was sent yet.');
  const area = h('div', {class: 'stack', hidden: true}, h('h3', {}, 'Created, and what is expected'), way.node, title, pace.node);
  return {
    node: panel('Course', nothing, area),
    async refresh(job) {
      const from = Math.floor(Date.parse(job.started_at ?? job.created_at) / 10000) * 10000;
      const end = job.finished_at ? Date.parse(job.finished_at) + 1000 : now();
      const step = stepFor((end - from) / 1000 + 10);
      let history;
      try {
        history = await api.get('/v1/history', {job: number, step, from: new Date(from).toISOString(), to: new Date(Math.max(end, from + step * 1000)).toISOString()}, signal);
      } catch (error) {
        sayProblem(error);
        return;
      }
      const sent = history.points.some(p => p.requests > 0);
      setAttribute(nothing, 'hidden', sent);
      setAttribute(area, 'hidden', !sent);
      if (!sent) return;
      const whole = job.created + job.pending;
      let sum = Math.max(0, job.created - history.points.reduce((total, p) => total + p.created, 0));
      const points = [{at: from, value: sum}];
      for (const p of history.points) {
        sum += p.created;
        points.push({at: Math.min(Date.parse(p.at) + step * 1000, end), value: sum});
      }
      const end_text = job.progress?.expected_end ?? job.expected_end;
      const expected = end_text ? Date.parse(end_text) : null;
      const to = Math.max(expected ?? 0, points.at(-1).at);
      way.update({
        points, whole, from, to,
        ticks: [when(from), expected && job.pending ? `expected end ${when(expected)}` : when(to)],
        label: `${count(job.created)} of ${count(whole)} tasks created${expected && job.pending ? `; the end is expected ${when(expected)}` : ''}`,
        line: p => [when(p.at, {seconds: true}), count(p.value)],
      });
      setText(title, `Created each ${step < 60 ? `${step} seconds` : step < 3600 ? (step === 60 ? 'minute' : `${step / 60} minutes`) : step === 3600 ? 'hour' : `${step / 3600} hours`}`);
      pace.update({
        points: history.points.map(p => ({...p, value: p.created})),
        ticks: [when(history.points[0].at), when(history.points.at(-1).at)],
        label: `Tasks created over time, at most ${count(Math.max(...history.points.map(p => p.created)))} at once`,
        tell: p => `${when(p.at, {seconds: true})}: ${counted(p.created, 'task')} created by ${counted(p.requests, 'request')}`,
        line: p => [when(p.at, {seconds: true}), count(p.created), count(p.requests), count(p.rate_limited), count(p.failed)],
      });
    },
  };
}

// Why rows are not created, commonest first, and what to do.
function reasons(api, number) {
  const list = h('ul', {class: 'stack'});
  let known = null;
  const node = panel('Why rows are not created', list);
  const item = first => {
    const amount = h('b'), example = h('p', {class: 'small prewrap clamp'}), meaning = h('div', {class: 'small'});
    return {
      node: h('li', {class: 'job-card'}, h('div', {class: 'line spread'}, h('span', {class: 'line'}, state(first.state), h('code', {class: 'id'}, first.code), amount),
        h('a', {href: link(['jobs', number], {state: first.state, code: first.code}), 'aria-label': `Show these rows: ${first.code}`}, 'Show these rows')), meaning, example),
      update(reason) {
        setText(amount, counted(reason.rows, 'row'));
        setText(example, `Row ${count(reason.example_row)}: ${reason.example_message}`);
        const entry = known && lookUp(known, reason.code);
        renderOnce(meaning, [reason.code, !!entry], () => entry && [h('p', {}, prose(entry.meaning)), entry.remedy && h('p', {}, h('b', {}, 'What to do: '), prose(entry.remedy))]);
      },
    };
  };
  let last = [];
  const update = all => {
    last = all;
    setAttribute(node, 'hidden', all.length === 0);
    keyed(list, all, r => `${r.state}:${r.code}`, item);
  };
  codes(api).then(all => { known = all; update(last); }).catch(() => {});
  return {node, update};
}

function attempts(api, number, signal) {
  const newer = h('button', {class: 'button', type: 'button', disabled: true}, 'Newest'), older = h('button', {class: 'button', type: 'button', disabled: true}, 'Older');
  const list = table({
    caption: 'Requests of this job, newest first', empty: 'No request was sent yet.', key: a => a.attempt,
    columns: [
      {title: 'Request', text: a => count(a.attempt), class: 'num'},
      {title: 'Begun', node: a => time(a.started_at, 'seconds'), same: a => a.started_at, class: 'nowrap'},
      {title: 'Rows', text: a => count(a.rows), class: 'num'},
      {title: 'Took', text: a => (a.finished_at ? `${count(Date.parse(a.finished_at) - Date.parse(a.started_at))} ms` : '–'), class: 'num'},
      {title: 'Result', text: a => a.result},
      {title: 'Status', text: a => a.status || '–', class: 'num'},
      {title: 'Apollo’s id', node: a => h('code', {class: 'small'}, a.request_id ?? '–'), same: a => a.request_id},
      {title: 'Why', node: a => [a.code && h('code', {class: 'id'}, a.code), a.message && h('div', {class: 'small clamp prewrap'}, a.message)], same: a => [a.code, a.message], class: 'wide-cell'},
    ],
  });
  let before = null, next = null;
  const question = latest(signal);
  const load = async () => {
    const mine = question();
    try {
      const said = await api.get(`/v1/jobs/${number}/attempts`, {limit: 20, before}, mine);
      next = said.next_before;
      list.update(said.attempts);
      older.disabled = next === null;
      newer.disabled = before === null;
    } catch (error) {
      if (!mine.aborted) sayProblem(error);
    }
  };
  older.addEventListener('click', () => { before = next; load(); });
  newer.addEventListener('click', () => { before = null; load(); });
  return {node: panel('Requests', list.node, h('div', {class: 'pager'}, newer, older)), refresh: () => (before === null ? load() : null)};
}

function input(api, number, signal, on_sheets) {
  const area = h('div', {class: 'stack'}, h('p', {class: 'quiet'}, 'Reading …'));
  const read = async () => {
    try {
      const said = await api.get(`/v1/jobs/${number}/input`, {}, signal);
      on_sheets(new Set(said.files.map(f => JSON.stringify([f.format, f.columns]))).size);
      replace(area,
        pairs([['Size', bytes(said.bytes)], ['SHA-256', h('code', {class: 'small'}, said.sha256)], ['“+3d” counts from', said.relative_day]]),
        said.files.map(file => [h('h3', {}, file.name.split('/').at(-1)),
          h('p', {class: 'small quiet'}, [file.format, `from row ${count(file.first_row)}`, file.columns.length ? `columns ${file.columns.join(', ')}` : 'the names of its columns are not kept'].filter(Boolean).join(', ')),
          file.fields.length > 0 && fieldTable(file.fields)]),
        said.settings.length > 0 && h('details', {}, h('summary', {}, `Settings in force (${said.settings.length})`),
          pairs(said.settings.map(one => [h('code', {}, one.name), h('code', {}, one.value)]))));
    } catch (error) {
      if (error.name !== 'AbortError') replace(area, h('p', {class: 'quiet'}, error.message));
    }
  };
  read();
  return panel('Input and settings', area);
}

export function job({api, live, signal, path, parameters}) {
  const number = Number(path[1]);
  if (!Number.isSafeInteger(number) || number < 1) {
    return {title: 'No such job', node: h('div', {class: 'view'}, h('h1', {}, 'There is no such job'), panel(null, h('a', {href: '#/jobs'}, 'All jobs')))};
  }
  let current = null, read_at = 0;
  const samples = [];  // of the last minute, for the pace
  const title = h('h1', {}, `Job ${number}`), word = state(''), what = h('span'), wait = until('until'), ends = until('Expected end'), rate = h('span'), problem = h('p', {class: 'bad-text', hidden: true});
  const begun = time(null), finished = time(null), finished_part = h('span', {hidden: true}, 'finished ', finished), done = h('b'), requests = h('span');
  const bar = countsBar(), charts = progressCharts(api, number, signal), why = reasons(api, number), rows = jobRows({api, job: number, signal}), requested = attempts(api, number, signal), log = eventList();
  const reload = () => load(true);
  const buttons = commandButtons(api, () => current, reload);
  const downloads = h('div', {class: 'actions'}), pruned = h('p', {class: 'quiet', hidden: true}, 'The rows of this job were pruned: only its sums are kept.');
  let sheets = 1;
  const showDownloads = () => renderOnce(downloads, [current.rejected > 0, sheets, current.pruned_at], () => (current.pruned_at ? [] : [
    downloadLink(api, 'Results (CSV)', `/v1/jobs/${number}/results`), downloadLink(api, 'Results (JSONL)', `/v1/jobs/${number}/results`, {format: 'jsonl'}),
    downloadLink(api, 'Failed and unknown rows', `/v1/jobs/${number}/results`, {only: 'failed,unknown'}),
    current.rejected > 0 && Array.from({length: sheets}, (_, i) => downloadLink(api, sheets > 1 ? `Rejects, sheet ${i + 1}` : 'Rejects, to mend', `/v1/jobs/${number}/rejects`, i ? {sheet: i + 1} : {})),
  ]));
  const status = panel(null,
    h('div', {class: 'line spread'}, h('p', {class: 'reserve-1'}, what, ' ', wait.node), buttons.node),
    problem, bar.node,
    h('div', {class: 'facts'}, h('span', {}, done, ' settled'), requests, rate, ends.node, h('span', {}, 'begun ', begun), finished_part),
    pruned, downloads);
  const node = h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('div', {class: 'line'}, title, word)), status, why.node, charts.node, rows.node, requested.node,
    input(api, number, signal, count_of => { sheets = count_of; if (current) showDownloads(); }), panel('What happens', log.node));

  const show = () => {
    const does = doing(current);
    setText(title, `${filesOf(current)}, job ${number}`);
    setState(word, current.paused ? 'paused' : current.state);
    setText(what, does.text);
    wait.update(does.until);
    const failure = current.state !== 'completed' && current.error && current.error !== does.text ? current.error : '';
    setText(problem, failure);
    setAttribute(problem, 'hidden', !failure);
    bar.update(current);
    setText(done, share(current));
    setText(requests, `${count(current.requests)} of at least ${counted(current.minimum_requests, 'request')}${current.rate_limited ? `, ${count(current.rate_limited)} met a shut window` : ''}`);
    ends.update(current.state === 'completed' ? null : current.progress?.expected_end ?? current.expected_end ?? null);
    setTime(begun, current.created_at);
    setTime(finished, current.finished_at);
    setAttribute(finished_part, 'hidden', !current.finished_at);
    setAttribute(pruned, 'hidden', !current.pruned_at);
    buttons.update(current, live.overview?.role === 'write');
    showDownloads();
  };

  const question = latest(signal);
  let rows_too = false;  // also where the question that wanted them was not the last
  const load = async (with_rows = false) => {
    rows_too ||= with_rows;
    read_at = Date.now();
    const mine = question();
    try {
      current = await api.get(`/v1/jobs/${number}`, {}, mine);
    } catch (error) {
      if (mine.aborted) return;
      if (error.type === 'unknown-job') replace(node, h('h1', {}, 'There is no such job'), panel(null, h('p', {}, `${error.message}. `, h('a', {href: '#/jobs'}, 'All jobs'))));
      else sayProblem(error);
      return;
    }
    show();
    why.update(current.reasons);
    rows.codesAre([...new Set(current.reasons.map(r => r.code))]);
    charts.refresh(current);
    if (current.pruned_at) return;
    requested.refresh();
    if (rows_too) rows.reload();
    rows_too = false;
  };
  const reloadSoon = soon(() => load(true), 500, signal);

  live.addEventListener('progress', ({detail}) => {
    const p = detail.find(one => one.job === number);
    if (!p || !current) return;
    Object.assign(current, counts(p), {progress: p});
    samples.push({at: Date.now(), created: current.created});
    while (samples.length > 2 && (samples.length > 240 || Date.now() - samples[0].at > 60000)) samples.shift();
    const seconds = (samples.at(-1).at - samples[0].at) / 1000;
    const pace = (samples.at(-1).created - samples[0].created) / seconds;
    setText(rate, seconds >= 2 && pace >= 0.05 ? `${pace.toFixed(1)} rows/s in the last minute` : '');
    show();
    if (Date.now() - read_at > 15000) load();
  }, {signal});
  live.addEventListener('job', ({detail: d}) => {
    if (d.job !== number) return;
    log.add(`${d.state}${d.error ? `: ${d.error}` : ''}`);
    if (d.state !== 'running') setText(rate, '');
    reloadSoon();
  }, {signal});
  live.addEventListener('notice', ({detail: d}) => { if (d.job === number) log.add(d.text); }, {signal});
  live.addEventListener('caught-up', reloadSoon, {signal});
  live.addEventListener('overview', () => { if (current) buttons.update(current, live.overview.role === 'write'); }, {signal});

  load();
  rows.show(parameters);
  return {title: `Job ${number}`, node, parameters: changed => {
    rows.show(changed);
    rows.node.scrollIntoView({block: 'start'});
  }};
}
