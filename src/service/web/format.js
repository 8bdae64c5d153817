// Numbers and times as people read them. Times are shown in the viewer's zone, with the UTC behind them.
import {h, setAttribute, setText} from './dom.js';

const number_form = new Intl.NumberFormat('en-GB');
const clock_form = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const seconds_form = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const day_form = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});
const year_form = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', year: 'numeric'});

let ahead = 0;  // milliseconds by which the service's clock is ahead of this one

export function setServiceClock(text) {
  ahead = Date.parse(text) - Date.now();
}

export const now = () => Date.now() + ahead;

export const count = value => number_form.format(value ?? 0);

/** "1 row", "2,000 rows". */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function percent(part, whole) {
  if (!whole) return '0 %';
  const share = 100 * part / whole;
  if (share > 0 && share < 1) return '< 1 %';
  return `${share > 99 && share < 100 ? 99 : Math.round(share)} %`;
}

export function bytes(value) {
  if (value === null || value === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "2d 4h", "41 min", "12 s". */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

const midnight = time => new Date(time).setHours(0, 0, 0, 0);

/** "14:32", "tomorrow 09:00", "30 Nov 14:32", in the viewer's zone. */
export function when(text, {seconds = false} = {}) {
  const at = new Date(text);
  const clock = (seconds ? seconds_form : clock_form).format(at);
  const days = Math.round((midnight(at) - midnight(now())) / 86400000);
  if (days === 0) return clock;
  if (days === 1) return `tomorrow ${clock}`;
  if (days === -1) return `yesterday ${clock}`;
  const same_year = at.getFullYear() === new Date(now()).getFullYear();
  return `${(same_year ? day_form : year_form).format(at)} ${clock}`;
}

const utc = text => `${new Date(text).toISOString().replace('T', ' ').slice(0, 19)} UTC`;

function relative(text) {
  const away = Date.parse(text) - now();
  return away >= 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}

function say(node, text) {
  const form = node.dataset.form;
  setText(node, form === 'both' ? `${when(text)} (${relative(text)})` : form === 'away' ? relative(text) : when(text, {seconds: form === 'seconds'}));
}

/** A `<time>`: form `when`, `seconds`, `away` ("in 5 min") or `both`. Empty for null. */
export function time(text, form = 'when') {
  const node = h('time', {'data-form': form});
  setTime(node, text);
  return node;
}

export function setTime(node, text) {
  setAttribute(node, 'datetime', text);
  setAttribute(node, 'title', text && utc(text));
  if (text) say(node, text);
  else setText(node, '');
}

/** Says again what is told relative to now. Called by the page's one clock. */
export function tick() {
  for (const node of document.querySelectorAll('time[datetime]')) say(node, node.getAttribute('datetime'));
}
