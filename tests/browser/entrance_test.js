// Who may: tokens in the tab, a token that only reads, tickets; and a service that goes away and comes back.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {checkAccess, done, go, launch, live, openPage} from './browser.js';
import {House, read_token, table, until, write_token} from './programs.js';

let house, browser;

before(async () => {
  house = await new House({with_tokens: true, sandbox: ['--latency', '200ms']}).open();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await house?.close();
});

async function give(page, token) {
  await page.locator('#token').fill(token);
  await page.keyboard.press('Enter');
}

test('the token is asked for, and a wrong one is told', async () => {
  const page = await openPage(browser, house);
  await page.getByRole('dialog', {name: 'A token is needed'}).waitFor();
  await checkAccess(page, 'token');
  await give(page, 'certainly-not-this-one');
  await page.getByText('does not take this token').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor();
  await give(page, write_token);
  await live(page);
  await page.reload();
  await live(page);
  assert.equal(await page.evaluate(token => Object.values(localStorage).includes(token), write_token), false, 'kept beyond the tab');
  assert.equal(page.url().includes(write_token), false);
  await page.getByRole('button', {name: 'Forget token'}).click();
  await page.getByRole('dialog').waitFor();
  await done(page);
});

test('a token that reads is offered nothing that changes', async () => {
  house.drop('for reading.csv', table(4));
  const job = await until('it is sent', async () => (await house.ask('/v1/jobs')).jobs.find(j => j.state === 'completed'));
  const page = await openPage(browser, house);
  await give(page, read_token);
  await live(page);
  await page.getByText('read only').waitFor();
  assert.equal(await page.locator('main').getByRole('link', {name: 'New import'}).count(), 0);
  await go(page, `#/jobs/${job.job}`);
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Results (CSV)'}).click()]);
  assert.equal(saved.suggestedFilename(), `results-${job.job}.csv`);
  assert.ok(await saved.path());
  await go(page, '#/new');
  await page.getByText('may only look').waitFor();
  assert.equal(await page.getByRole('button', {name: 'Choose a file'}).isVisible(), false);
  await done(page);
});

test('a service that is killed comes back without a hand', async () => {
  const page = await openPage(browser, house);
  await give(page, write_token);
  await live(page);
  house.drop('long.csv', table(200, {note: i => `long ${i % 25}`}));
  await page.locator('.job-card .state.running').waitFor();
  await house.service.end('SIGKILL');
  await page.getByText('Connection lost').waitFor();
  await page.locator('#tools .state.lost').waitFor();
  await checkAccess(page, 'connection lost');
  await house.startService();
  await live(page);
  await until('the banner goes', async () => (await page.locator('#banner').textContent()) === '');
  await page.getByRole('heading', {name: 'Recent jobs'}).waitFor();
  await page.locator('table tr', {hasText: 'long.csv'}).locator('.state.completed').waitFor();
  await done(page);
});
