// Tables that are updated in place, row by row. On a phone each row becomes a card, so the roles are said outright.
import {h, keyed, renderOnce, setAttribute, setText} from './dom.js';

/**
 * `columns`: {title, text(item)} or {title, node(item), same(item)} (made again when `same` differs), and `class`. `key(item)` tells rows apart.
 * Gives {node, update(items)}.
 */
export function table({caption, hide_caption = true, columns, key, empty = null}) {
  const body = h('tbody', {role: 'rowgroup'});
  const nothing = h('p', {class: 'quiet', hidden: true}, empty);
  const area = h('div', {class: 'table-wrap cards'},
    h('table', {role: 'table'},
      h('caption', {class: hide_caption ? 'visually-hidden' : null}, caption),
      h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, columns.map(c =>
        h('th', {scope: 'col', role: 'columnheader', class: c.class}, c.title || h('span', {class: 'visually-hidden'}, c.label ?? 'Actions'))))),
      body));
  const row = () => {
    const cells = columns.map(c => h('td', {role: 'cell', class: c.class, 'data-label': c.title ?? ''}));
    const texts = columns.map((c, i) => c.text && cells[i].appendChild(h('span')));
    return {
      node: h('tr', {role: 'row'}, cells),
      update(item) {
        columns.forEach((c, i) => {
          if (c.text) setText(texts[i], c.text(item));
          else renderOnce(cells[i], c.same ? c.same(item) : item, () => h('div', {}, c.node(item)));
        });
      },
    };
  };
  return {
    node: h('div', {}, area, nothing),
    update(items) {
      keyed(body, items, key, row);
      setAttribute(area, 'hidden', items.length === 0);
      setAttribute(nothing, 'hidden', items.length > 0 || !empty);
    },
  };
}
