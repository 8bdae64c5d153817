// Apollo's rate windows as gauges, by route.
import {h, keyed, setAttribute, setText} from './dom.js';
import {gauge} from './charts.js';
import {count, setTime, time} from './format.js';

const order = ['minute', 'hour', 'day'];
const routes = {
  'tasks/bulk_create': 'Creating tasks', 'tasks/search': 'Looking tasks up', 'contacts/search': 'Searching contacts', 'contacts/show': 'Showing a contact',
  'contacts/bulk_create': 'Creating contacts', 'users/search': 'Looking users up', 'usage_stats/api_usage_stats': 'Asking for the limits',
};

function windowGauge() {
  const bar = gauge();
  const name = h('b'), used = h('span', {class: 'used'}), rest = h('span'), opens = h('span', {hidden: true}), word = h('span'), at = time(null, 'both');
  opens.append(word, ' ', at);
  const node = h('div', {class: 'gauge'}, h('div', {class: 'line small'}, name, used), bar.node, h('div', {class: 'facts'}, rest, opens));
  return {
    node,
    update(w) {
      const closed = w.shut || w.left === 0;
      setText(name, w.window);
      setText(used, `${count(w.used)} of ${count(w.limit)}`);
      setText(rest, `${count(w.left)} left${w.reserve ? `, ${count(w.reserve)} in reserve` : ''}`);
      setAttribute(node, 'class', closed ? 'gauge shut' : 'gauge');
      setAttribute(opens, 'hidden', !w.ends_at);
      setText(word, closed ? 'opens' : 'ends');
      setTime(at, w.ends_at);
      bar.update(w, `${w.route}, ${w.window}`);
    },
  };
}

function routeGauges(first) {
  const area = h('div', {class: 'gauges'});
  return {
    node: h('div', {class: 'route'}, h('h3', {}, routes[first.route] ?? first.route, ' ', h('code', {class: 'quiet'}, first.route)), area),
    update(one) { keyed(area, one.windows, w => w.window, windowGauge); },
  };
}

/** Gives {node, update(windows)}. */
export function windowGauges() {
  const area = h('div', {class: 'stack'}), idle = h('div', {class: 'stack'});
  const others = h('details', {hidden: true}, h('summary', {}, 'Routes that are not in use'), idle);
  const nothing = h('p', {class: 'quiet'}, 'Apollo tells its limits with its first answer. Nothing was asked of it yet.');
  return {
    node: h('div', {}, nothing, area, others),
    update(windows) {
      const by_route = new Map();
      for (const w of windows) by_route.set(w.route, [...(by_route.get(w.route) ?? []), w]);
      const all = [...by_route].map(([route, of_route]) => ({route, windows: of_route.sort((a, b) => order.indexOf(a.window) - order.indexOf(b.window))}));
      setAttribute(nothing, 'hidden', all.length > 0);
      const in_use = one => one.route === 'tasks/bulk_create' || one.windows.some(w => w.used > 0 || w.shut);
      keyed(area, all.filter(in_use), one => one.route, routeGauges);
      keyed(idle, all.filter(one => !in_use(one)), one => one.route, routeGauges);
      setAttribute(others, 'hidden', all.every(in_use));
    },
  };
}
