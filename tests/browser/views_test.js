// Every view in light and dark, wide and on a phone: what axe finds, what does not fit, and pictures for the docs.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {checkAccess, checkWidth, done, go, launch, live, openPage, picture, settled} from './browser.js';
import {House, table, until} from './programs.js';

let house, browser, views;

before(async () => {
  house = await new House({sandbox: ['--latency', '100ms', '--limits', '40,400,2000', '--bad-contact', '66e9e215ece19801b2190bad'], settings: [['limits.reserve', '10%']]}).open();
  house.drop('webinar-follow-up.csv', table(90, {note: i => `Thank for the webinar, session ${i % 3}`, id: i => (i === 30 ? '66e9e215ece19801b2190bad' : null)}));
  house.drop('leads-october.csv', '<!doctype html><title>Please log in</title>\n');
  await until('the first is done', async () => (await house.ask('/v1/jobs?state=completed')).jobs.length === 1);
  await house.ask('/v1/imports?name=renewals-2027.csv&hold=true', {method: 'POST', body: table(60, {note: i => `Renewal of contract ${i % 6}`}).replace(',call,', ',Meeting,')});
  const held = await until('it is planned', async () => (await house.ask('/v1/imports')).imports.find(one => one.state === 'planned'));
  house.drop('partners-november.csv', table(600, {note: i => `Partner news ${i % 60}`}));
  const running = await until('the second has begun', async () => (await house.ask('/v1/jobs?state=unfinished')).jobs.find(j => j.created > 40));
  views = {overview: '#/', jobs: '#/jobs', job: `#/jobs/${running.job}`, 'finished job': '#/jobs/1?state=failed', imports: '#/imports', plan: `#/imports/${held.import}`,
    'new import': '#/new', find: '#/find?q=66e9e215ece19801b2190bad', 'no such view': '#/nowhere', 'no such job': '#/jobs/99'};
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await house?.close();
});

for (const [width, dark] of [[1280, false], [1280, true], [360, false], [360, true]]) {
  test(`every view, ${width} pixels, ${dark ? 'dark' : 'light'}`, async () => {
    const page = await openPage(browser, house, {width, height: width === 360 ? 740 : 1100, dark});
    await live(page);
    for (const [name, at] of Object.entries(views)) {
      await go(page, at);
      await page.locator('main h1').waitFor();
      await settled(page);
      assert.equal(await page.locator('main h1').count(), 1);
      await checkWidth(page, name);
      await checkAccess(page, name);
      if (['overview', 'job', 'plan'].includes(name) && width === 1280 && !dark) await picture(page, `dashboard-${name}`);
      if (name === 'overview' && width === 360 && dark) await picture(page, 'dashboard-phone');
    }
    await done(page);
  });
}

test('the switch for colours holds', async () => {
  const page = await openPage(browser, house);
  const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  const light = await ground();
  await page.getByRole('button', {name: 'Change to dark colours'}).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await done(page);
});

test('what is updated in place keeps focus', async () => {
  const page = await openPage(browser, house, {at: views.job});
  await live(page);
  const field = page.locator('#rows-contact');
  await field.fill('66e9');
  const number = views.job.split('/').at(-1);
  await house.ask(`/v1/jobs/${number}/pause`, {method: 'POST'});
  await page.locator('main .view-head .state.paused').waitFor();
  await house.ask(`/v1/jobs/${number}/resume`, {method: 'POST'});
  await page.locator('main .view-head .state:not(.paused)').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'rows-contact');
  assert.equal(await field.inputValue(), '66e9');
  await done(page);
});
