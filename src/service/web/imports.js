// The inbox: what waits for a person, what is worked on, what failed and why, what is done.
import {h, setAttribute, setText} from './dom.js';
import {discardImport, downloadLink, retryImport} from './actions.js';
import {sayProblem} from './dialogs.js';
import {bytes, time} from './format.js';
import {command, jobLink, panel, quoted, state} from './parts.js';
import {link} from './router.js';
import {soon} from './soon.js';
import {table} from './table.js';

const origins = {inbox: 'dropped', upload: 'uploaded', path: 'by path'};
const first_many = 50, most = 1000;

export function imports({api, live, signal, parameters}) {
  const mayWrite = () => live.overview?.role === 'write';
  const list = (caption, empty, why, actions) => table({
    caption, empty, key: one => one.import,
    columns: [
      {title: 'File', node: one => [h('div', {class: 'name', title: one.name}, one.name), h('div', {class: 'small quiet'}, `${origins[one.origin] ?? one.origin}${one.bytes === null || one.bytes === undefined ? '' : `, ${bytes(one.bytes)}`}`)], same: one => [one.name, one.bytes]},
      {title: 'State', node: one => state(one.state), same: one => one.state},
      {title: 'Taken', node: one => time(one.taken_at), same: one => one.taken_at, class: 'nowrap'},
      {title: 'Job', node: one => (one.job ? jobLink(one.job, String(one.job)) : '–'), same: one => one.job},
      why && {title: 'Why', node: one => h('div', {class: 'prewrap'}, one.error ?? ''), same: one => one.error, class: 'wide-cell'},
      actions && {title: '', label: 'Actions', class: 'plain acts', node: one => h('div', {class: 'actions'}, actions(one)), same: one => [one, mayWrite()]},
    ].filter(Boolean),
  });
  const held = list('Imports that wait for you', null, false, one => [
    h('a', {class: 'button slim', href: link(['imports', one.import]), 'aria-label': `Look and send: ${one.name}`}, 'Look and send'),
    mayWrite() && h('button', {class: 'button slim danger', type: 'button', 'aria-label': `Discard ${one.name}`, on: {async click() { if (await discardImport(api, one)) load(); }}}, 'Discard')]);
  const working = list('Imports that are worked on', 'Nothing is being worked on.', true, null);
  const failed = list('Imports that a person must look at', 'No file has failed.', true, one => [
    mayWrite() && h('button', {class: 'button slim', type: 'button', 'aria-label': `Read again: ${one.name}`, on: {async click() { await retryImport(api, one); load(); }}}, 'Read again'),
    downloadLink(api, 'Rejects', `/v1/imports/${one.import}/rejects`, {}, `Rejects of ${one.name}`)]);
  const done = list('Imports that are done', 'Nothing is done yet.', false, one => [downloadLink(api, 'Rejects', `/v1/imports/${one.import}/rejects`, {}, `Rejects of ${one.name}`)]);

  let limit = first_many;
  const more = h('button', {class: 'button', type: 'button', hidden: true, on: {click() { limit = most; load(); }}}, 'Show more');
  const held_panel = panel('Wait for you', h('p', {class: 'quiet'}, 'Read and planned, and nothing is sent until you say so.'), held.node);
  const failed_panel = h('section', {class: 'panel', id: 'failed', tabindex: '-1'}, h('header', {}, h('h2', {}, 'Failed')), h('p', {class: 'quiet'}, 'Mend what the reason names, then read the file again, or drop it again.'), failed.node);
  const inbox = h('div', {class: 'stack'}), inbox_text = h('span');
  const node = h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('h1', {}, 'Imports'), h('a', {class: 'button main', href: '#/new', 'data-write': ''}, 'New import'), h('p', {class: 'lead'}, 'Files that were dropped into the inbox ', h('code', {}, inbox_text), ' or uploaded.')),
    held_panel, failed_panel, panel('Being worked on', working.node, inbox), panel('Done', done.node, more));

  const load = async () => {
    try {
      const [at_work, in_failed, in_done] = await Promise.all(['processing', 'failed', 'done'].map(place => api.get('/v1/imports', {place, limit: place === 'done' ? limit : most}, signal)));
      const waiting = at_work.imports.filter(one => one.held);
      held.update(waiting);
      setAttribute(held_panel, 'hidden', waiting.length === 0);
      working.update(at_work.imports.filter(one => !one.held));
      failed.update(in_failed.imports);
      done.update(in_done.imports);
      setAttribute(more, 'hidden', !(limit === first_many && in_done.imports.length === first_many));
      inbox.hidden = in_done.imports.length + in_failed.imports.length + at_work.imports.length > 0;
    } catch (error) {
      sayProblem(error);
    }
  };
  const showInbox = () => {
    const path = live.overview?.inbox;
    if (!path || inbox_text.textContent === path) return;
    setText(inbox_text, path);
    const file = quoted(`${path.replace(/\/$/, '')}/contacts.csv`);
    inbox.replaceChildren(h('p', {}, 'To drop a file, rename it into place so that it is whole:'), command(`cp contacts.csv ${quoted(`${path.replace(/\/$/, '')}/contacts.csv.part`)} && mv ${quoted(`${path.replace(/\/$/, '')}/contacts.csv.part`)} ${file}`));
  };
  const reload = soon(load, 500, signal);
  live.addEventListener('import', reload, {signal});
  live.addEventListener('caught-up', reload, {signal});
  live.addEventListener('overview', showInbox, {signal});
  showInbox();
  load().then(() => { if (parameters.place === 'failed') failed_panel.scrollIntoView({block: 'start'}); });
  return {title: 'Imports', node};
}
