// A job of millions of rows in the page: TASKBARGE_LARGE_ROWS says how many. The first view within a second, each page within 300 ms.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {done, launch, live, openPage} from './browser.js';
import {House, until} from './programs.js';

const rows = Number(process.env.TASKBARGE_LARGE_ROWS ?? 0);
const first_view = 1000, a_page = 300;  // milliseconds
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
  const timed = async (what, most, act, seen) => {
    const begin = performance.now();
    await act();
    await seen();
    const took = performance.now() - begin;
    console.log(`# ${what}: ${took.toFixed(0)} ms`);
    assert.ok(took < most, `${what} took ${took.toFixed(0)} ms`);
  };
  const area = page.locator('#rows');
  const number = i => i.toLocaleString('en-GB');
  await timed('first view', first_view, () => page.goto(`${house.url}/#/jobs/1`), () => area.getByText('50 rows, from row 1 to').waitFor());
  await timed('next page', a_page, () => page.getByRole('button', {name: 'Next page'}).click(), () => area.getByText(`from row ${number(51)}`).waitFor());
  const middle = Math.floor(rows / 2);
  await timed('a page in the middle', a_page, () => page.evaluate(after => { location.hash = `#/jobs/1?after=${after}`; }, middle), () => area.getByText(`from row ${number(middle + 1)}`).waitFor());
  await timed('rejected rows', a_page, () => page.locator('#rows-state').selectOption('rejected'), () => until('rejected rows', async () => (await area.textContent()).includes('from row 1,000 to')));
  await timed('one contact', a_page, async () => {
    await page.locator('#rows-state').selectOption('');
    await page.locator('#rows-contact').fill(`66e9e215ece198${(rows - 1).toString(16).padStart(10, '0')}`);
    await page.keyboard.press('Enter');
  }, () => area.getByText(`from row ${number(rows - 1)} to`).waitFor());
  await done(page);
});
