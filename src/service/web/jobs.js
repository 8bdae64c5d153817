// All jobs, by state, page by page.
import {h, replace, setAttribute} from './dom.js';
import {sayProblem} from './dialogs.js';
import {jobList} from './job_list.js';
import {panel} from './parts.js';
import {go, link} from './router.js';
import {latest, soon} from './soon.js';

const choices = [['', 'All'], ['unfinished', 'Unfinished'], ['failed', 'Failed'], ['completed', 'Completed']];

export function jobs({api, live, signal, parameters: first}) {
  let parameters = first;
  const list = jobList(), segments = h('nav', {class: 'segments', 'aria-label': 'State'});
  const older = h('button', {class: 'button', type: 'button'}, 'Older'), newest = h('a', {class: 'button'}, 'Newest');
  let next = null;
  older.addEventListener('click', () => go(['jobs'], {...parameters, before: next}));
  const question = latest(signal);
  const load = async () => {
    const mine = question();
    try {
      const said = await api.get('/v1/jobs', {limit: 50, state: parameters.state, before: parameters.before}, mine);
      list.update(said.jobs);
      next = said.next_before;
      older.disabled = next === null;
      setAttribute(newest, 'hidden', !parameters.before);
      newest.href = link(['jobs'], {state: parameters.state});
    } catch (error) {
      if (!mine.aborted) sayProblem(error);
    }
  };
  const show = () => {
    replace(segments, choices.map(([value, text]) => h('a', {href: link(['jobs'], {state: value}), 'aria-current': (parameters.state ?? '') === value ? 'true' : null}, text)));
    load();
  };
  const reload = soon(load, 1000, signal);
  live.addEventListener('job', reload, {signal});
  live.addEventListener('caught-up', reload, {signal});
  show();
  return {
    title: 'Jobs',
    node: h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('h1', {}, 'Jobs'), segments), panel(null, h('div', {class: 'rows-area'}, list.node), h('div', {class: 'pager'}, newest, older))),
    parameters(changed) {
      parameters = changed;
      show();
    },
  };
}
