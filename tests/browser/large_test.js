// A job of millions of rows in the page: TASKBARGE_LARGE_ROWS says how many. The first view and
// a contact within a second, each page within 300 ms.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {done, launch, live, openPage, settled} from './browser.js';
import {House} from './programs.js';

const rows = Number(process.env.TASKBARGE_LARGE_ROWS ?? 0);
const first_view = 1000, a_page = 300, a_search = 1000;  // milliseconds
let house, browser;

function write(file) {
  const to = fs.openSync(file, 'w');
  fs.writeSync(to, 'contact_id,type,due_at\n');
  const block = [];
  for (let i = 1; i <= rows; ++i) {
    const bad = i % 1000 === 0;
    block.push(`${bad ? 'bad' : `66e9e215ece198${i.toString(16).padStart(10, '0')}`},${i % 2 ? 'call' : 'action_item'},2027-02-${10 + i % 10}T10:00:00Z\n`);
    if (block.length === 100000 || i === rows) fs.writeSync(to, block.splice(0).join(''));
  }
  fs.closeSync(to);
}

before(async () => {
  if (!rows) return;
  house = await new House({sandbox: ['--limits', '20,20,20'], settings: [['import.chunk_size', 100], ['defaults.user_id', '66302798d03b9601c7934ebf'], ['defaults.status', 'scheduled']]}).open();
  write(`${house.inbox}/.large`);
  fs.renameSync(`${house.inbox}/.large`, `${house.inbox}/large.csv`);
  for (;;) {  // reading may take longer than other things may
    const jobs = (await house.ask('/v1/jobs')).jobs;
    if (jobs[0]?.created >= 20 * 100) break;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  browser = await launch();
}, {timeout: 600000});

after(async () => {
  await browser?.close();
  await house?.close();
});

test('a job of millions of rows is looked at without waiting', {skip: !rows && 'TASKBARGE_LARGE_ROWS is not set'}, async () => {
  const page = await openPage(browser, house);
  await live(page);
  // Measured where a person sees it: from the change of the address until the rows stand there and are drawn.
  const timed = async (what, most, hash, from) => {
    const [took, answered] = await page.evaluate(([to, text]) => new Promise((resolve, reject) => {
      const begin = performance.now();
      const there = () => document.querySelector('#rows header')?.textContent.includes(text);
      const watch = new MutationObserver(() => {
        if (!there()) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve([performance.now() - begin, performance.getEntriesByType('resource').filter(e => e.name.includes('/rows')).at(-1).duration])));
      });
      watch.observe(document.body, {subtree: true, childList: true, characterData: true});
      setTimeout(() => reject(new Error(`not in time: ${text}`)), 20000);
      location.hash = to;
    }), [hash, `from row ${from.toLocaleString('en-GB')} to`]);
    console.log(`# ${what}: ${took.toFixed(0)} ms, of these ${answered.toFixed(0)} for the answer`);
    if (took >= most) slow.push(`${what} took ${took.toFixed(0)} ms`);
  };
  const slow = [];
  const middle = Math.floor(rows / 2);
  await timed('first view', first_view, '#/jobs/1', 1);
  await settled(page);
  await timed('next page', a_page, '#/jobs/1?after=50', 51);
  await timed('a page in the middle', a_page, `#/jobs/1?after=${middle}`, middle + 1);
  await timed('the last page', a_page, `#/jobs/1?after=${rows - 50}`, rows - 49);
  await timed('rejected rows', a_page, '#/jobs/1?state=rejected', 1000);
  await timed('rejected rows by code', a_page, `#/jobs/1?state=rejected&code=invalid_contact_id&after=${middle}`, middle + 1000 - middle % 1000);
  await timed('one contact', a_search, `#/jobs/1?contact=66e9e215ece198${(rows - 1).toString(16).padStart(10, '0')}`, rows - 1);
  assert.deepEqual(slow, []);
  await done(page);
});
