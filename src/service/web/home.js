// The first view: what needs a person, what goes on, what Apollo allows, what was done.
import {h, keyed, renderOnce, setAttribute, setText} from './dom.js';
import {commandButtons} from './actions.js';
import {bars, stackedBar} from './charts.js';
import {sayProblem} from './dialogs.js';
import {count, counted, now, percent, time, when} from './format.js';
import {jobList} from './job_list.js';
import {command, doing, eventList, filesOf, jobLink, panel, quoted, setState, share, state, until} from './parts.js';
import {link} from './router.js';
import {soon} from './soon.js';
import {windowGauges} from './windows.js';

const hour = 3600000;

function attention() {
  const list = h('ul');
  const calm = h('p', {class: 'quiet'}, 'Nothing needs you.');
  const node = h('section', {class: 'panel calm', 'aria-label': 'What needs a person'}, h('h2', {}, 'Needs a person'), list, calm);
  return {
    node,
    update(items) {
      setAttribute(node, 'class', items.length ? 'panel attention' : 'panel calm');
      setAttribute(calm, 'hidden', items.length > 0);
      keyed(list, items, item => JSON.stringify(item), item => ({
        node: h('li', {}, h('span', {class: 'clamp', title: item.text}, item.text),
          item.job ? jobLink(item.job, `Look at job ${item.job}`)
            : item.import ? h('a', {href: link(['imports'], {place: 'failed'})}, 'Look at failed files') : null),
      }));
    },
  };
}

function jobCard(api, live, first) {
  let job = first;
  const name = jobLink(job.job, ''), word = state(job.state), bar = stackedBar(true);
  const what = h('span'), wait = until('until'), done = h('b'), numbers = h('span'), problem = h('span', {class: 'bad-text', hidden: true});
  const ends = until('Expected end'), buttons = commandButtons(api, () => job, () => live.refresh(0), ['pause', 'resume']);
  return {
    node: h('article', {class: 'job-card'},
      h('div', {class: 'line spread'}, h('h3', {}, name), h('span', {class: 'line'}, word, buttons.node)),
      h('p', {class: 'reserve-1'}, what, ' ', wait.node),
      bar.node,
      h('div', {class: 'facts'}, h('span', {}, done, ' done'), numbers, problem, ends.node)),
    update(item) {
      job = item;
      const does = doing(job);
      setText(name, `${filesOf(job)}, job ${job.job}`);
      setState(word, job.state);
      setText(what, does.text);
      wait.update(does.until);
      bar.update(job);
      setText(done, share(job));
      setText(numbers, `${count(job.created)} of ${counted(job.rows, 'row')} created, ${count(job.requests)} of at least ${counted(job.minimum_requests, 'request')}`);
      const bad = [job.failed && `${count(job.failed)} failed`, job.unknown && `${count(job.unknown)} unknown`].filter(Boolean).join(', ');
      setText(problem, bad);
      setAttribute(problem, 'hidden', !bad);
      ends.update(job.progress?.expected_end ?? job.expected_end ?? null);
      buttons.update(job, live.overview?.role === 'write');
    },
  };
}

function emptyState(overview) {
  const inbox = overview.inbox || '/var/lib/taskbarge/inbox';
  const file = `${inbox.replace(/\/$/, '')}/contacts.csv`;
  return [
    h('h2', {}, 'No job yet: three ways to load contacts'),
    h('ol', {class: 'steps'},
      h('li', {}, h('div', {class: 'stack'}, h('p', {}, h('a', {href: '#/new'}, 'New import'), ': choose a file here. You see what would be sent, and nothing is until you say so.'))),
      h('li', {}, h('div', {class: 'stack'}, h('p', {}, 'Drop a CSV or JSONL file into the inbox ', h('code', {}, inbox), '. Its rows are sent at once. Rename it into place, so that it is whole:'),
        command(`cp contacts.csv ${quoted(`${file}.part`)} && mv ${quoted(`${file}.part`)} ${quoted(file)}`))),
      h('li', {}, h('div', {class: 'stack'}, h('p', {}, 'Send it to this service:'),
        command(`curl --data-binary @contacts.csv '${location.origin}/v1/imports?name=contacts.csv'${overview.token_needed ? ' -H "Authorization: Bearer $TASKBARGE_TOKEN"' : ''}`)))),
  ];
}

function dayChart(api, live, signal) {
  const chart = bars({caption: 'Requests that created tasks, by hour', heads: ['Hour', 'Requests', 'Tasks created', 'Refused by a rate window', 'Failed']});
  const summary = h('p', {class: 'quiet small reserve-1'});
  const legend = h('dl', {class: 'legend'}, h('div', {}, h('dt', {}, h('span', {class: 'swatch fill-chart'}), 'requests used')), h('div', {}, h('dt', {}, h('span', {class: 'swatch rule'}), 'allowed an hour')));
  let read_at = 0;
  const draw = history => {
    const window = live.overview?.windows.find(w => w.route === 'tasks/bulk_create' && w.window === 'hour');
    const limit = window ? window.limit - window.reserve : 0;
    const points = history.points.map(p => ({...p, value: p.requests}));
    const sum = name => points.reduce((total, p) => total + p[name], 0);
    const used = sum('requests');
    setText(summary, used === 0 ? 'No request in the last 24 hours.'
      : `${counted(used, 'request')} in 24 hours, ${counted(sum('created'), 'task')} created${limit ? `; ${percent(used, limit * 24)} of what the hours allow` : ''}${sum('rate_limited') ? `; ${count(sum('rate_limited'))} met a shut window` : ''}.`);
    chart.update({
      points, limit,
      ticks: [points[0], points[Math.floor(points.length / 2)], points.at(-1)].filter(Boolean).map(p => when(p.at)),
      label: `Requests by hour over the last 24 hours: ${count(used)} in all, at most ${count(Math.max(0, ...points.map(p => p.value)))} in an hour${limit ? `, ${count(limit)} allowed` : ''}`,
      tell: p => `${when(p.at)}: ${counted(p.requests, 'request')}, ${counted(p.created, 'task')} created`,
      line: p => [when(p.at), count(p.requests), count(p.created), count(p.rate_limited), count(p.failed)],
    });
  };
  return {
    node: panel('Last 24 hours', summary, legend, chart.node),
    async refresh(force) {
      if (!force && now() - read_at < 60000) return;
      read_at = now();
      const to = Math.ceil(now() / hour) * hour;
      try {
        draw(await api.get('/v1/history', {from: new Date(to - 24 * hour).toISOString(), to: new Date(to).toISOString(), step: 3600}, signal));
      } catch (error) {
        sayProblem(error);
      }
    },
  };
}

export function home({api, live, signal}) {
  const needs = attention(), windows = windowGauges(), day = dayChart(api, live, signal), log = eventList(), recent = jobList();
  const cards = h('div', {class: 'stack'}), no_cards = h('p', {class: 'quiet'}, 'No job is under way.');
  const teach = h('section', {class: 'panel', hidden: true});
  const held = h('p', {class: 'panel', hidden: true}), held_link = h('a', {href: '#/imports'}, 'Look at it');
  const held_text = h('span');
  held.append(h('span', {}, held_text, ' ', held_link));
  const recent_panel = h('section', {class: 'panel'}, h('header', {}, h('h2', {}, 'Recent jobs'), h('a', {href: '#/jobs'}, 'All jobs')), recent.node);
  const going = panel('Under way', cards, no_cards);
  const limits = h('div', {class: 'columns'}, panel('Rate windows of Apollo', windows.node), day.node);
  const ready = h('p', {class: 'lead'}, 'Reading what the service does …');
  const node = h('div', {class: 'view'},
    h('div', {class: 'view-head'}, h('h1', {}, 'Overview'), h('a', {class: 'button main', href: '#/new', 'data-write': ''}, 'New import'), ready),
    needs.node, held, teach, going,
    limits,
    recent_panel, panel('What happens', log.node));

  const show = () => {
    const o = live.overview;
    if (!o) return;
    const jobs = o.jobs.running + o.jobs.parked + o.jobs.failed + o.jobs.completed;
    const nothing = jobs === 0 && o.unfinished.length === 0;
    renderOnce(ready, [o.ready, o.reason, o.apollo, o.started_at], () => [
      o.ready ? 'Ready' : `Not ready: ${o.reason}`, `. Sends to ${o.apollo.host}${o.apollo.team ? `, team ${o.apollo.team}` : ''}. Up since `, time(o.started_at), '.']);
    needs.update(o.attention);
    keyed(cards, o.unfinished, job => job.job, job => jobCard(api, live, job));
    setAttribute(no_cards, 'hidden', o.unfinished.length > 0);
    setAttribute(teach, 'hidden', !nothing);
    if (nothing) renderOnce(teach, [o.inbox, o.token_needed], () => emptyState(o));
    for (const part of [recent_panel, going]) setAttribute(part, 'hidden', nothing);
    setAttribute(limits, 'hidden', nothing && o.windows.length === 0);
    setAttribute(held, 'hidden', !o.imports.planned);
    setText(held_text, o.imports.planned === 1 ? 'One planned import waits for your word before anything of it is sent.' : `${count(o.imports.planned)} planned imports wait for your word before anything of them is sent.`);
    windows.update(o.windows);
  };

  const readJobs = async () => {
    try {
      recent.update((await api.get('/v1/jobs', {limit: 10}, signal)).jobs);
    } catch (error) {
      sayProblem(error);
    }
  };
  const rereadJobs = soon(readJobs, 1000, signal);

  live.addEventListener('overview', () => { show(); day.refresh(false); }, {signal});
  live.addEventListener('progress', show, {signal});
  live.addEventListener('job', ({detail: d}) => {
    log.add(`Job ${d.job} is ${d.state}${d.error ? `: ${d.error}` : ''}`);
    rereadJobs();
  }, {signal});
  live.addEventListener('import', ({detail: d}) => log.add(`${d.import}: ${d.state}${d.job ? `, job ${d.job}` : ''}${d.error ? `: ${d.error}` : ''}`), {signal});
  live.addEventListener('notice', ({detail: d}) => log.add(`${d.job ? `Job ${d.job}: ` : ''}${d.text}`), {signal});
  live.addEventListener('caught-up', () => { rereadJobs(); day.refresh(true); }, {signal});
  show();
  readJobs();
  day.refresh(true);
  return {title: 'Overview', node};
}
