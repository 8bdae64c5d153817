// Puts the page together: header, connection, views.
import {Api} from './api.js';
import {askToken} from './dialogs.js';
import {h, replace, setAttribute, setText} from './dom.js';
import {find} from './find.js';
import {duration, now, setServiceClock, tick} from './format.js';
import {home} from './home.js';
import {importView} from './import_view.js';
import {imports} from './imports.js';
import {job} from './job.js';
import {jobs} from './jobs.js';
import {Live} from './live.js';
import {newImport} from './new_import.js';
import {panel} from './parts.js';
import {route} from './router.js';

const theme_key = 'taskbarge.theme';
const main = document.getElementById('main');

const api = new Api(async wrong => {
  api.token = await askToken(wrong);
  forget.hidden = false;
});
const live = new Live(api);

const views = [
  {name: 'Overview', at: '', open: home},
  {name: 'Jobs', at: 'jobs', open: context => (context.path[1] ? job(context) : jobs(context))},
  {name: 'Imports', at: 'imports', open: context => (context.path[1] ? importView(context) : imports(context))},
  {name: 'Find', at: 'find', open: find},
  {name: 'New import', at: 'new', open: newImport},
];

// Header

const nav = document.getElementById('nav');
nav.append(...views.map(view => h('a', {href: `#/${view.at}`}, view.name)));

const connection = h('span', {class: 'state', title: 'Whether this page hears of changes as they happen'}, 'connecting');
const reading = h('span', {class: 'state', hidden: true, title: 'The token in use may look and change nothing'}, 'read only');
const forget = h('button', {class: 'button slim', type: 'button', hidden: !api.token, on: {click() {
  api.token = '';
  location.reload();
}}}, 'Forget token');
const theme = h('button', {class: 'button slim', type: 'button'});
document.getElementById('tools').append(connection, reading, forget, theme);

function showTheme() {
  const chosen = localStorage.getItem(theme_key);
  setAttribute(document.documentElement, 'data-theme', chosen);
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  setText(theme, dark ? 'Light' : 'Dark');
  setAttribute(theme, 'aria-label', `Change to ${dark ? 'light' : 'dark'} colours`);
  return dark;
}
theme.addEventListener('click', () => {
  localStorage.setItem(theme_key, showTheme() ? 'light' : 'dark');
  showTheme();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme);
showTheme();

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});

// What the service says of itself

const banner = document.getElementById('banner'), foot = document.getElementById('foot');
let version = null, told = '', view_title = '';

function showBanner() {
  const o = live.overview;
  const lost = live.connection === 'lost';
  const text = lost ? `Connection lost. ${live.problem?.message ?? ''} What you see is of before.`
    : version && o && o.version !== version ? 'The service was updated. Load this page again to use its new version.'
      : o && !o.ready ? `The service is not ready: ${o.reason}` : '';
  if (text === told) return;
  told = text;
  replace(banner, text && h('p', {}, h('span', {}, text),
    lost ? h('button', {class: 'button slim', type: 'button', on: {click: () => live.connect()}}, 'Try now')
      : text.startsWith('The service was updated') && h('button', {class: 'button slim', type: 'button', on: {click: () => location.reload()}}, 'Load again')));
}

function showTitle() {
  const open = live.overview?.attention.length ?? 0;
  document.title = `${open ? `(${open}) ` : ''}${view_title} · taskbarge`;
}

live.addEventListener('connection', () => {
  setText(connection, live.connection);
  setAttribute(connection, 'class', `state ${live.connection}`);
  showBanner();
});

live.addEventListener('overview', () => {
  const o = live.overview;
  setServiceClock(o.now);
  version ??= o.version;
  setAttribute(document.documentElement, 'data-role', o.role);
  setAttribute(reading, 'hidden', o.role === 'write');
  showBanner();
  showTitle();
  replace(foot, h('span', {}, `taskbarge ${o.version}`), h('span', {}, `up for ${duration(now() - Date.parse(o.started_at))}`),
    h('span', {}, 'ledger ', h('code', {}, o.ledger)), h('span', {}, 'inbox ', h('code', {}, o.inbox)),
    o.notifications.waiting > 0 && h('span', {}, `${o.notifications.waiting} notifications wait to be delivered`), h('a', {href: '/openapi.yaml'}, 'API'));
});

setInterval(tick, 5000);

// Views

route(main, (place, signal) => {
  const at = place.path[0] ?? '';
  const view = views.find(v => v.at === at);
  const context = {api, live, signal, ...place};
  const shown = view ? view.open(context) : {title: 'Not found', node: h('div', {class: 'view'}, h('h1', {}, 'There is no such view'), panel(null, h('p', {}, h('a', {href: '#/'}, 'Go to the overview'))))};
  [...nav.children].forEach((link, i) => setAttribute(link, 'aria-current', views[i].at === at ? 'page' : null));
  view_title = shown.title;
  showTitle();
  return shown;
});

live.start();
