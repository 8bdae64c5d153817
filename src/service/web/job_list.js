// Jobs as a table.
import {h} from './dom.js';
import {stackedBar} from './charts.js';
import {count, duration, time} from './format.js';
import {filesOf, jobLink, state} from './parts.js';
import {table} from './table.js';

function bar(job) {
  const one = stackedBar(true);
  one.update(job);
  return one.node;
}

export function jobList() {
  return table({
    caption: 'Jobs, newest first',
    empty: 'No jobs.',
    key: job => job.job,
    columns: [
      {title: 'File', node: job => [h('span', {class: 'name', title: job.files.join(', ')}, jobLink(job.job, filesOf(job))), h('span', {class: 'small quiet'}, `job ${job.job}`)], same: job => job.files, class: 'plain where'},
      {title: 'State', node: job => state(job.paused ? 'paused' : job.state), same: job => [job.state, job.paused]},
      {title: 'Rows', node: job => h('div', {class: 'stack'}, bar(job)), same: job => [job.rows, job.created, job.duplicate, job.rejected, job.failed, job.unknown, job.pending], class: 'plain wide-cell'},
      {title: 'Read', text: job => count(job.rows), class: 'num second'},
      {title: 'Created', text: job => count(job.created), class: 'num'},
      {title: 'Not created', text: job => count(job.failed + job.rejected + job.unknown), class: 'num'},
      {title: 'Begun', node: job => time(job.created_at), same: job => job.created_at, class: 'nowrap'},
      {title: 'Took', text: job => (job.finished_at ? duration(Date.parse(job.finished_at) - Date.parse(job.created_at)) : '–'), class: 'num second'},
    ],
  });
}
