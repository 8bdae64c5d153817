// Pieces that several views are made of.
import {h, setAttribute, setText} from './dom.js';
import {row_states, stackedBar} from './charts.js';
import {count, counted, percent, setTime, time} from './format.js';
import {link} from './router.js';

/** A word for a state, with its colour. */
export const state = word => h('span', {class: `state ${word}`}, word);

export function setState(node, word) {
  setAttribute(node, 'class', `state ${word}`);
  setText(node, word);
}

export const jobLink = (job, text = `job ${job}`) => h('a', {href: link(['jobs', job])}, text);

/** A view's head: its title, what it is about, and room for buttons. */
export function head(title, {lead = null, actions = null} = {}) {
  return h('div', {class: 'view-head'}, h('h1', {}, title), actions, lead && h('p', {class: 'lead'}, lead));
}

export function panel(title, ...children) {
  return h('section', {class: 'panel'}, title && h('header', {}, h('h2', {}, title)), children);
}

/** Counts of rows as a bar with its legend. Gives {node, update(job)}. */
export function countsBar() {
  const bar = stackedBar();
  const parts = row_states.map(name => {
    const value = h('dd');
    return {name, value, node: h('div', {}, h('dt', {}, h('span', {class: `swatch fill-${name}`}), name), value)};
  });
  return {
    node: h('div', {class: 'stack'}, bar.node, h('dl', {class: 'legend big-legend'}, parts.map(p => p.node))),
    update(job) {
      bar.update(job);
      for (const p of parts) setText(p.value, count(job[p.name]));
    },
  };
}

/** The names of a job's files in few words. */
export function filesOf(job) {
  if (!job.files?.length) return `job ${job.job}`;
  const [first, ...others] = job.files.map(name => name.split('/').at(-1));
  return others.length ? `${first} and ${counted(others.length, 'other file')}` : first;
}

/** What an unfinished job does or waits for: {text, until}. */
export function doing(job) {
  const p = job.progress;
  if (p) {
    switch (p.phase) {
      case 'reading': return {text: `Reading the file: ${count(p.rows)} rows${p.bytes_total ? ` (${percent(p.bytes_read, p.bytes_total)})` : ''}`};
      case 'finding': return {text: `Finding contacts in Apollo: ${count(p.contacts_read)}${p.contacts_total ? ` of ${count(p.contacts_total)}` : ''}`};
      case 'connecting': return {text: 'Connecting to Apollo'};
      case 'sending': return {text: `Sending${p.in_flight ? `, ${counted(p.in_flight, 'request')} under way` : ''}`};
      case 'looking_up': return {text: 'Looking up what became of requests in doubt'};
      case 'waiting': return {text: `Waits for ${p.waiting_for ?? 'its turn'}`, until: p.waiting_until};
      case 'stopping': return {text: 'Stopping: awaits requests that are under way'};
    }
  }
  if (job.paused) return {text: 'Paused, until somebody resumes it'};
  if (job.state === 'failed') return {text: job.error ?? 'A person is needed'};
  if (job.resume_at) return {text: job.error ?? 'Waits for a rate window', until: job.resume_at};
  if (job.state === 'planning') return {text: 'Its file is read again at the next start'};
  if (job.state === 'parked') return {text: job.error ?? 'Its turn comes: jobs go one after the other'};
  return {text: job.running ? 'Runs' : job.state === 'completed' ? 'Every row has come to its end' : ''};
}

/** How far a job is, in words. */
export function share(job) {
  const all = job.rows - job.rejected;
  return percent(all - job.pending - job.unknown, all);
}

/** A command with a button that copies it. */
export function command(text) {
  const button = h('button', {class: 'button slim', type: 'button', on: {async click() {
    try {
      await navigator.clipboard.writeText(text);
      setText(button, 'Copied');
    } catch {
      getSelection().selectAllChildren(code);  // no clipboard without https: it is marked instead
      setText(button, 'Press Ctrl-C');
    }
    setTimeout(() => setText(button, 'Copy'), 3000);
  }}}, 'Copy');
  const code = h('code', {}, text);
  return h('div', {class: 'command'}, code, button);
}

/** A text in single quotes for a shell. */
export const quoted = text => (/^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** "until 14:32 (in 5 min)", updated in place. */
export function until(word) {
  const at = time(null, 'both');
  const node = h('span', {hidden: true}, `${word} `, at);
  return {
    node,
    update(text) {
      setAttribute(node, 'hidden', !text);
      setTime(at, text);
    },
  };
}

/** Names and values. */
export function pairs(entries) {
  return h('dl', {class: 'pairs'}, entries.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

/** Few texts that stand below one another, newest on top; the oldest go. */
export function eventList(most = 50) {
  const list = h('ul');
  const area = h('div', {class: 'log', tabindex: '0', role: 'group', 'aria-label': 'What happened since this page was opened', hidden: true}, list);
  const nothing = h('p', {class: 'quiet small'}, 'Nothing yet. What happens while this page is open is told here.');
  return {
    node: h('div', {}, nothing, area),
    add(...text) {
      nothing.hidden = true;
      area.hidden = false;
      list.prepend(h('li', {}, h('span', {class: 'quiet'}, time(new Date().toISOString(), 'seconds')), h('span', {}, text)));
      while (list.childElementCount > most) list.lastElementChild.remove();
    },
  };
}

