// A file from the person's machine: uploaded and planned, and nothing is sent until they say so.
import {h, setAttribute, setText} from './dom.js';
import {sayProblem} from './dialogs.js';
import {bytes, percent} from './format.js';
import {panel} from './parts.js';
import {go} from './router.js';

/** A name that the service takes: no folders, no control characters, not hidden, 200 bytes of UTF-8 at most. */
export function safeName(name) {
  const plain = [...name.split(/[/\\]/).at(-1)].map(c => (c.codePointAt(0) < 32 || c.codePointAt(0) === 127 ? '_' : c)).join('').replace(/^\.+/, '_') || 'upload';
  const dot = plain.lastIndexOf('.');
  const end = dot > 0 && plain.length - dot <= 12 ? plain.slice(dot) : '';
  let stem = [...plain.slice(0, plain.length - end.length)];
  const size = text => new TextEncoder().encode(text).length;
  while (stem.length && size(stem.join('') + end) > 200) stem = stem.slice(0, -1);
  return stem.join('') + end;
}

export function newImport({api, live, signal}) {
  const picker = h('input', {type: 'file', id: 'file', class: 'visually-hidden', tabindex: '-1', 'aria-hidden': 'true'});
  const choose = h('button', {type: 'button', class: 'button main', on: {click: () => picker.click()}}, 'Choose a file');
  const first = h('input', {id: 'first', type: 'number', min: '0', step: '1', inputmode: 'numeric', placeholder: 'all', 'aria-describedby': 'first-hint'});
  const again = h('input', {type: 'checkbox', id: 'again'});
  const bar = h('progress', {max: '100', value: 0, 'aria-label': 'Upload'}), said = h('span', {role: 'status'});
  const stop = h('button', {type: 'button', class: 'button slim', on: {click: () => sending?.abort()}}, 'Stop');
  const progress = h('div', {class: 'stack', hidden: true}, bar, h('div', {class: 'line spread'}, said, stop));
  const drop = h('div', {class: 'drop'}, h('p', {}, h('strong', {}, 'Drop a file here')), h('p', {class: 'quiet'}, 'CSV or JSONL, also packed with gzip or zstd'), choose, picker);
  const may_not = h('p', {class: 'panel', hidden: true}, 'The token in use may only look. To load a file, use the other token.');
  const form = h('div', {class: 'stack'}, drop, progress,
    h('div', {class: 'filters'},
      h('div', {class: 'field'}, h('label', {for: 'first'}, 'Only so many rows'), first, h('span', {class: 'hint', id: 'first-hint'}, 'To try it out. The rest is loaded later, as a job of its own.')),
      h('label', {class: 'check'}, again, h('span', {}, 'Make its tasks once more, although the same file was loaded before'))));
  let sending = null;

  const upload = async file => {
    if (!file || sending) return;
    if (live.overview?.role === 'read') return;
    const mine = sending = new AbortController();
    progress.hidden = false;
    choose.disabled = true;
    let told = -1;
    try {
      const made = await api.upload('/v1/imports', {name: safeName(file.name), hold: 'true', first: first.value || null, again: again.checked ? 'true' : null}, file, (sent, total) => {
        bar.value = total ? 100 * sent / total : 0;
        const tenth = Math.floor(10 * sent / Math.max(1, total));
        if (tenth === told) return;  // a screen reader is told ten times, not a thousand
        told = tenth;
        setText(said, sent >= total ? 'Sent. The service writes it to its disk …' : `${percent(sent, total)} of ${bytes(total)}`);
      }, AbortSignal.any([mine.signal, signal]));
      go(['imports', made.import]);
    } catch (error) {
      if (error.name === 'AbortError') setText(said, 'Stopped. Nothing of it was kept.');
      else sayProblem(error);
      bar.value = 0;
    } finally {
      sending = null;
      choose.disabled = false;
      picker.value = '';
    }
  };
  picker.addEventListener('change', () => upload(picker.files[0]));
  let over = 0;
  const hovers = change => {
    over += change;
    setAttribute(drop, 'class', over > 0 ? 'drop over' : 'drop');
  };
  drop.addEventListener('dragenter', event => { event.preventDefault(); hovers(1); });
  drop.addEventListener('dragleave', () => hovers(-1));
  // A file that misses the field is not opened by the browser in place of this page.
  for (const name of ['dragover', 'drop']) addEventListener(name, event => event.preventDefault(), {signal});
  drop.addEventListener('drop', event => {
    hovers(-over);
    upload(event.dataTransfer.files[0]);
  });

  const show = () => {
    const reads = live.overview?.role === 'read';
    setAttribute(may_not, 'hidden', !reads);
    setAttribute(form, 'hidden', reads);
  };
  live.addEventListener('overview', show, {signal});
  show();
  return {
    title: 'New import',
    node: h('div', {class: 'view'}, h('div', {class: 'view-head'}, h('h1', {}, 'New import'), h('p', {class: 'lead'}, 'The file is read and planned. You see what would be sent, and nothing is sent until you press Send.')), may_not, panel(null, form)),
  };
}
