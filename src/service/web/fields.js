// How the columns of a file are understood, as a table.
import {h} from './dom.js';
import {table} from './table.js';

const sources = {name: 'by its name', alias: 'by a name that is understood', settings: 'by the settings', default: 'from [defaults]'};

export function fieldTable(fields) {
  const list = table({
    caption: 'What each column is taken for', key: f => f.field,
    columns: [
      {title: 'Field', node: f => h('code', {}, f.field), same: f => f.field},
      {title: 'Column', text: f => f.column ?? '–'},
      {title: 'Why', text: f => sources[f.source] ?? f.source},
    ],
  });
  list.update(fields);
  return list.node;
}
