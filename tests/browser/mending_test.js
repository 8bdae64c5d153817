// What needs a person: rows whose fate is not known, and files that failed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {answer, done, go, launch, live, openPage} from './browser.js';
import {House, table, until} from './programs.js';

let house, browser;

before(async () => {
  // The first request works and is not answered, and nobody may look its tasks up.
  house = await new House({sandbox: ['--fault', '500:after@1', '--fault', 'search/403']}).open();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await house?.close();
});

test('unknown rows are told, looked up, and sent again only with a word for it', async () => {
  house.drop('doubtful.csv', table(8));
  const page = await openPage(browser, house);
  await live(page);
  await page.locator('.attention').getByText('doubtful.csv').waitFor();
  await page.getByRole('link', {name: 'Look at job 1'}).click();
  await page.getByText('What to do:').first().waitFor();
  assert.equal(await page.getByRole('button', {name: 'Pause job 1'}).isVisible(), false, 'nothing is there to pause');
  await page.getByRole('button', {name: 'Verify job 1'}).click();
  await page.getByRole('dialog').getByText('Creates nothing').waitFor();
  await answer(page, 'Verify');
  await page.getByText('Verify of job 1 has ended: 0 created, 0 failed, 8 unknown').waitFor();

  await page.getByRole('button', {name: 'Retry unknown job 1'}).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', {name: 'Retry unknown'}).click();
  assert.ok(await dialog.isVisible(), 'it was sent without the word for it');
  await dialog.getByLabel('I know that tasks may be there twice.').check();
  await answer(page, 'Retry unknown');
  await page.getByText('Retry unknown of job 1 has ended: 8 created').waitFor();
  await page.locator('#rows').getByText('the task may be there twice').first().waitFor();
  await done(page);
});

test('a file that failed is read again when its settings were mended', async () => {
  house.drop('mended.csv', table(3, {names: 'Kontakt,user_id,type,status,due_at,note'}));
  const page = await openPage(browser, house, {at: '#/imports'});
  await live(page);
  await page.locator('#failed').getByText('no contact column').waitFor();
  const [one] = (await house.ask('/v1/imports?place=failed')).imports;
  fs.writeFileSync(path.join(house.inbox, 'failed', one.import, 'settings.toml'), '[columns]\ncontact_id = "Kontakt"\n');
  await page.getByRole('button', {name: 'Rejects of mended.csv'}).click();
  await page.getByText('no rejected records').waitFor();
  await page.getByRole('button', {name: 'Read again: mended.csv'}).click();
  await answer(page, 'Read again');
  const row = page.locator('tr', {hasText: 'mended.csv'}).locator('.state.done');
  await row.waitFor();
  await until('its tasks are made', async () => (await house.ask('/v1/jobs?limit=1')).jobs[0].created === 3);
  await go(page, '#/');
  await page.getByText('Nothing needs you').waitFor();
  await done(page);
});
