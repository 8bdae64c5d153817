// Small charts as SVG. The drawing stretches with the page; its words stand beside it as text, and each has a table that says the same.
import {h, replace, s, setAttribute, setText} from './dom.js';
import {count, percent} from './format.js';

const width = 1000, height = 100;
const fewest_bars = 24;  // else the first of them would fill the chart

export const row_states = ['created', 'duplicate', 'pending', 'unknown', 'failed', 'rejected'];

/** Counts by state as one bar. What is there is seen, however little it is. */
export function stackedBar(thin = false) {
  const svg = s('svg', {viewBox: `0 0 ${width} 10`, preserveAspectRatio: 'none', role: 'img'});
  const parts = row_states.map(state => svg.appendChild(s('rect', {class: `fill-${state}`, y: 0, height: 10, x: 0, width: 0})));
  return {
    node: h('div', {class: thin ? 'counts thin' : 'counts'}, svg),
    update(counts, total = row_states.reduce((sum, state) => sum + counts[state], 0)) {
      const least = 6;
      const shares = row_states.map(state => (total && counts[state] ? Math.max(least, width * counts[state] / total) : 0));
      const over = shares.reduce((a, b) => a + b, 0) / width;
      let x = 0;
      parts.forEach((part, i) => {
        const wide = over > 1 ? shares[i] / over : shares[i];
        setAttribute(part, 'x', x.toFixed(2));
        setAttribute(part, 'width', wide.toFixed(2));
        x += wide;
      });
      const said = row_states.filter(state => counts[state]).map(state => `${count(counts[state])} ${state}`);
      setAttribute(svg, 'aria-label', said.length ? `Of ${count(total)} rows: ${said.join(', ')}` : 'No rows yet');
    },
  };
}

/** One window's use: used from the left, the reserve at the right end. */
export function gauge() {
  const used = s('rect', {class: 'fill-chart', y: 0, height: 10, x: 0, width: 0});
  const reserve = s('rect', {class: 'fill-reserve', y: 0, height: 10, width: 0});
  const svg = s('svg', {viewBox: `0 0 ${width} 10`, preserveAspectRatio: 'none', role: 'img'}, reserve, used);
  return {
    node: svg,
    update(w, label) {
      const kept = w.limit ? width * Math.min(1, w.reserve / w.limit) : 0;
      setAttribute(used, 'width', (w.limit ? width * Math.min(1, w.used / w.limit) : 0).toFixed(1));
      setAttribute(reserve, 'x', (width - kept).toFixed(1));
      setAttribute(reserve, 'width', kept.toFixed(1));
      setAttribute(svg, 'aria-label', `${label}: ${percent(w.used, w.limit)} used`);
    },
  };
}

// A table that says the same as the drawing; made when it is opened, and while it is.
function asTable(caption, heads) {
  const body = h('tbody');
  const area = h('details', {},
    h('summary', {}, 'As a table'),
    h('div', {class: 'table-wrap', tabindex: '0', role: 'region', 'aria-label': caption},
      h('table', {}, h('caption', {class: 'visually-hidden'}, caption), h('thead', {}, h('tr', {}, heads.map((head, i) => h('th', {scope: 'col', class: i ? 'num' : null}, head)))), body)));
  let lines = () => [];
  const fill = () => {
    if (area.open) replace(body, lines().map(line => h('tr', {}, line.map((cell, i) => h('td', {class: i ? 'num' : null}, cell)))));
    else body.replaceChildren();
  };
  area.addEventListener('toggle', fill);
  return {node: area, update(make) { lines = make; fill(); }};
}

function frame(caption, kind = '') {
  const svg = s('svg', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': caption});
  const top = h('span'), bottom = h('span', {}, '0'), x = h('div', {class: 'chart-x'});
  return {svg, top, x, node: h('div', {class: `chart-area ${kind}`}, h('div', {class: 'chart-y', 'aria-hidden': 'true'}, top, bottom), svg, x)};
}

const roundUp = value => {
  if (value <= 5) return 5;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].map(n => n * size).find(n => n >= value);
};

/**
 * Bars over time. `update({points: [{at, value}], limit, ticks: [text], label, tell(point)})`; `limit` is drawn as a dashed line.
 */
export function bars({caption, heads, low = false}) {
  const {svg, top, x, node} = frame(caption, low ? 'low' : '');
  const as_table = asTable(caption, heads);
  return {
    node: h('div', {class: 'chart'}, node, as_table.node),
    update({points, limit = 0, ticks, label, tell, line}) {
      const most = roundUp(Math.max(limit * 1.1, ...points.map(p => p.value), 1));
      const step = width / Math.max(fewest_bars, points.length);
      setText(top, count(most));
      setAttribute(svg, 'aria-label', label);
      replace(x, ticks.map(tick => h('span', {}, tick)));
      svg.replaceChildren(
        s('line', {class: 'grid', x1: 0, x2: width, y1: height / 2, y2: height / 2}),
        ...points.map((p, i) => s('rect', {class: 'fill-chart', x: i * step + step * 0.12, width: step * 0.76, y: height - height * p.value / most, height: height * p.value / most})),
        ...(limit ? [s('line', {class: 'limit', x1: 0, x2: width, y1: height - height * limit / most, y2: height - height * limit / most})] : []),
        ...points.map((p, i) => s('rect', {class: 'hit', x: i * step, width: step, y: 0, height}, s('title', {}, tell(p)))));
      as_table.update(() => points.map(line));
    },
  };
}

/**
 * How something grows over time, and how it is expected to go on. `update({points: [{at, value}], whole, from, to, now, label, ticks})`: times in
 * milliseconds, `whole` what it grows to at `to`.
 */
export function course({caption, heads}) {
  const {svg, top, x, node} = frame(caption);
  const as_table = asTable(caption, heads);
  return {
    node: h('div', {class: 'chart'}, node, as_table.node),
    update({points, whole, from, to, ticks, label, line}) {
      const most = Math.max(whole, 1);
      const px = at => (width * (at - from) / Math.max(1, to - from)).toFixed(1);
      const py = value => (height - height * 0.96 * value / most).toFixed(1);
      const way = points.map(p => `${px(p.at)},${py(p.value)}`).join(' ');
      const last = points.at(-1);
      setText(top, count(whole));
      setAttribute(svg, 'aria-label', label);
      replace(x, ticks.map(tick => h('span', {}, tick)));
      svg.replaceChildren(
        s('line', {class: 'grid', x1: 0, x2: width, y1: py(most), y2: py(most)}),
        s('line', {class: 'grid', x1: 0, x2: width, y1: py(most / 2), y2: py(most / 2)}),
        ...(last ? [
          s('polygon', {class: 'under', points: `${px(points[0].at)},${height} ${way} ${px(last.at)},${height}`}),
          s('polyline', {class: 'course', points: way}),
          ...(to > last.at && last.value < whole ? [s('polyline', {class: 'forecast', points: `${px(last.at)},${py(last.value)} ${px(to)},${py(whole)}`})] : []),
        ] : []));
      as_table.update(() => points.map(line));
    },
  };
}
