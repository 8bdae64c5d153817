// From a file to its tasks: upload, plan, mend, send, watch, look at rows, download, pause, resume, retry.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {answer, checkAccess, done, go, launch, live, openPage} from './browser.js';
import {House, table, until} from './programs.js';

const bad_contact = '66e9e215ece19801b2190bad';
const hostile = '<img src=x onerror=alert(1)>';
let house, browser;

before(async () => {
  house = await new House({sandbox: ['--latency', '150ms', '--bad-contact', bad_contact]}).open();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await house?.close();
});

const newest = async () => (await house.ask('/v1/jobs?limit=1')).jobs[0];

async function upload(page, file) {
  await go(page, '#/new');
  await page.locator('#file').setInputFiles(file);
  await page.waitForURL(/#\/imports\/./);
}

test('an empty service teaches how to begin', async () => {
  const page = await openPage(browser, house);
  await live(page);
  await page.getByRole('heading', {name: /No job yet/}).waitFor();
  assert.ok((await page.locator('.command code').first().textContent()).includes(house.inbox));
  await checkAccess(page, 'empty overview');
  await done(page);
});

test('a file is planned, mended, sent and watched', async () => {
  const page = await openPage(browser, house);
  await live(page);
  const text = table(120, {names: 'Kontakt,user_id,Was,status,Wann,note', note: i => `note ${i % 20}`}).replace(',call,', ',Anruf,');
  await upload(page, house.file('contacts.csv', text));
  await page.getByRole('heading', {name: 'It cannot be sent like this'}).waitFor();
  assert.ok(await page.getByRole('button', {name: 'Send'}).isDisabled());
  await checkAccess(page, 'a plan that failed');

  const kontakt = await page.locator('#column-contact_id option', {hasText: 'Kontakt'}).getAttribute('value');
  await page.selectOption('#column-contact_id', kontakt);
  await page.selectOption('#column-type', await page.locator('#column-type option', {hasText: 'Was'}).getAttribute('value'));
  await page.selectOption('#column-due_at', await page.locator('#column-due_at option', {hasText: 'Wann'}).getAttribute('value'));
  await page.getByRole('button', {name: 'Plan again'}).click();
  await page.getByText('119 tasks in').waitFor();
  await page.getByText('invalid_type', {exact: true}).waitFor();
  await page.getByLabel('What “Anruf” means').selectOption('call');
  await page.getByRole('button', {name: 'Plan again'}).click();
  await page.getByText('120 tasks in').waitFor();
  await page.getByRole('heading', {name: 'First rows, as they will be sent'}).waitFor();
  await checkAccess(page, 'a plan');
  assert.equal((await house.ask('/v1/jobs')).jobs.length, 0, 'a job was made before it was asked for');

  await page.getByRole('button', {name: 'Send'}).click();
  await page.getByRole('dialog').getByText('Creates 120 tasks').waitFor();
  await answer(page, 'Back');
  assert.equal((await house.ask('/v1/jobs')).jobs.length, 0, 'sent although it was taken back');
  await page.getByRole('button', {name: 'Send'}).click();
  await answer(page, 'Send');
  await page.waitForURL(/#\/jobs\/1$/);
  await page.locator('main .state.running').waitFor();

  await page.getByRole('button', {name: 'Pause job 1'}).click();
  await page.getByRole('dialog').getByText('Nothing more of it is sent').waitFor();
  await answer(page, 'Pause');
  await page.locator('main .state.paused').waitFor();
  const paused = await newest();
  assert.ok(paused.paused && paused.pending > 0);
  await page.getByRole('button', {name: 'Resume job 1'}).click();
  await answer(page, 'Resume');
  await page.locator('main .view-head .state.completed').waitFor();
  await until('all created', async () => (await newest()).created === 120);
  assert.equal(await page.locator('.big-legend dd').first().textContent(), '120');
  await done(page);
});

test('rows are found by contact, state and code, page by page', async () => {
  house.drop('many.csv', table(130, {id: i => (i === 7 ? bad_contact : null), note: i => `group ${i % 4}`}));
  const page = await openPage(browser, house);
  await live(page);
  const job = await until('many.csv is sent', async () => (await newest()).files[0].endsWith('many.csv') && (await newest()).state === 'completed' && newest());
  await go(page, `#/jobs/${job.job}`);
  const rows = page.locator('#rows tbody tr');
  await page.locator('#rows').getByText('50 rows, from row 1 to row 50').waitFor();
  await page.getByRole('button', {name: 'Next page'}).click();
  await page.locator('#rows').getByText('from row 51 to row 100').waitFor();
  await page.getByRole('button', {name: 'Next page'}).click();
  await page.locator('#rows').getByText('from row 101 to row 130; these are the last').waitFor();
  assert.ok(await page.getByRole('button', {name: 'Next page'}).isDisabled());
  await page.getByRole('button', {name: 'Page before'}).click();
  await page.locator('#rows').getByText('from row 51 to row 100').waitFor();
  await page.goBack();
  await page.locator('#rows').getByText('from row 101').waitFor();

  await page.locator('#rows-state').selectOption('failed');
  await until('one row', async () => await rows.count() === 1);
  assert.match(await rows.first().textContent(), new RegExp(bad_contact));
  await page.getByRole('button', {name: 'All rows'}).click();
  await page.locator('#rows-contact').fill(bad_contact);
  await page.keyboard.press('Enter');
  await until('one row', async () => await rows.count() === 1);
  await page.getByRole('button', {name: 'All rows'}).click();
  await page.getByRole('link', {name: /^Show these rows: refused_/}).click();
  await until('one row', async () => await rows.count() === 1);
  await page.getByText('What to do:').first().waitFor();
  await checkAccess(page, 'a job');

  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Results (CSV)'}).click()]);
  assert.equal(saved.suggestedFilename(), `results-${job.job}.csv`);
  assert.equal(fs.readFileSync(await saved.path(), 'utf8').trim().split('\n').length, 131);

  await page.getByRole('button', {name: `Retry job ${job.job}`}).click();
  await page.getByRole('dialog').getByText('Sends 1 failed row again').waitFor();
  await answer(page, 'Retry');
  await page.getByText(`Retry of job ${job.job} has ended`).waitFor();

  await go(page, `#/find?q=${bad_contact}`);
  await page.getByText('1 row, newest job first').waitFor();
  await checkAccess(page, 'find');
  await done(page);
});

test('names, notes and errors stay text', async () => {
  const page = await openPage(browser, house);
  await live(page);
  const names = `contact_id,user_id,type,status,due_at,note,${hostile}`;
  const text = table(12, {names, note: i => `${hostile} ${i}`}).replace(/^(6.*)$/gm, `$1,<script>alert(2)</script>`).replace(',call,', `,${hostile},`);
  await upload(page, house.file(`${hostile}.csv`, text));
  await page.getByRole('heading', {name: `${hostile}.csv`}).waitFor();
  await page.getByText('11 tasks in').waitFor();
  assert.ok((await page.locator('main').textContent()).includes(`${hostile} 1`));
  await page.getByRole('button', {name: 'Send'}).click();
  await answer(page, 'Send');
  await page.waitForURL(/#\/jobs\//);
  await page.locator('main .view-head .state.completed').waitFor();
  await page.locator('#rows').getByText(hostile).first().waitFor();
  await go(page, '#/');
  await page.getByRole('heading', {name: 'Recent jobs'}).waitFor();
  house.drop(`failing ${hostile}.csv`, `${hostile},b\n1,2\n`);
  await page.locator('.attention').getByText(hostile).first().waitFor();
  await go(page, '#/imports');
  await page.locator('#failed').getByText(hostile).first().waitFor();
  await checkAccess(page, 'imports');
  assert.equal(await page.locator('main img, main script').count(), 0);
  await done(page);
});

test('settings are written as TOML, and names as the service takes them', async () => {
  const page = await openPage(browser, house);
  const {read, again, lists, odd, names} = await page.evaluate(async () => {
    const toml = await import('/assets/toml.js');
    const {safeName} = await import('/assets/new_import.js');
    const tables = new Map([['columns', new Map([['note', 'a "b" \\ c\n\u007f\u0001 ]'], ['user_id', false]])], ['values.type', new Map([['Dana (left) = "x"', 'call'], ['', 'call']])],
      ['dates', new Map([['formats', ['%d.%m.%Y', '"']]])]]);
    const text = toml.write(tables);
    const plain = map => [...map].map(([name, table]) => [name, [...table]]);
    return {read: plain(toml.read(text)), again: plain(tables), lists: toml.read('a = 1') === null && toml.read('[x]\ny = [\n1]') === null && toml.read('[a]\nb = "c') === null,
      odd: plain(toml.read("# said by hand\n[columns] # here\ncontact_id = 'C:\\x' # so\n[import]\nskip_lines = 2\n")),
      names: ['../../etc/passwd', '.hidden.csv', 'a\u0000b.csv', `${'ä'.repeat(300)}.csv`].map(safeName)};
  });
  assert.deepEqual(read, again);
  assert.ok(lists, 'what the form does not know is left to the text');
  assert.deepEqual(odd, [['columns', [['contact_id', 'C:\\x']]], ['import', [['skip_lines', 2]]]]);
  assert.deepEqual(names.slice(0, 3), ['passwd', '_hidden.csv', 'a_b.csv']);
  assert.ok(Buffer.byteLength(names[3]) <= 200 && names[3].endsWith('.csv'));
  await done(page);
});

test('an import is discarded', async () => {
  const page = await openPage(browser, house);
  await live(page);
  await upload(page, house.file('not wanted.csv', table(3)));
  await page.getByText('3 tasks in').waitFor();
  await page.getByRole('button', {name: 'Discard'}).click();
  await answer(page, 'Discard');
  await page.waitForURL(/#\/imports$/);
  assert.equal((await house.ask('/v1/imports')).imports.length, 0);
  await done(page);
});

test('what is sent is the plan that was asked about', async () => {
  const page = await openPage(browser, house);
  await live(page);
  await upload(page, house.file('planned twice.csv', table(4)));
  await page.getByText('4 tasks in').waitFor();
  const id = decodeURIComponent(page.url().split('/').at(-1)), at = `/v1/imports/${id}`;
  const before = (await newest())?.job ?? 0, seen = (await house.ask(`${at}/plan`)).plan_id;
  await page.getByRole('button', {name: 'Send'}).click();
  await page.getByRole('dialog').waitFor();
  // While the question stands somebody else changes the plan, and the page hears of it.
  const read_again = page.waitForResponse(async response => response.url().endsWith('/plan') && response.ok() && (await response.json()).plan_id !== seen);
  await house.ask(`${at}/settings`, {method: 'PUT', body: '[defaults]\npriority = "low"\n'});
  await read_again;
  await answer(page, 'Send');
  await page.getByText('The plan is another one by now').waitFor();
  assert.equal((await house.ask(at)).state, 'planned');
  assert.equal((await newest())?.job ?? 0, before, 'no job was made');
  await house.ask(at, {method: 'DELETE'});
  await done(page);
});

test('the keyboard is enough', async () => {
  const page = await openPage(browser, house);
  page.on('filechooser', () => {});  // from the first listener on, choosers are caught: not only when one is about to open
  await live(page);
  const tabTo = async name => {
    for (let i = 0; i < 200; ++i) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
      if (at === name) return;
    }
    assert.fail(`the Tab key does not lead to ${name}`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await tabTo('New import');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', {name: 'New import'}).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'a new view takes the focus');
  await tabTo('Choose a file');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles(house.file('by keyboard.csv', table(200, {note: i => `key ${i % 30}`})));
  await page.getByText('200 tasks in').waitFor();
  await tabTo('Send');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({state: 'detached'});
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Send', 'focus comes back');
  await page.keyboard.press('Enter');
  await tabTo('Send');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/jobs\//);
  const job = (await newest()).job;
  await page.getByRole('button', {name: `Pause job ${job}`}).waitFor();
  await tabTo(`Pause job ${job}`);
  await page.keyboard.press('Enter');
  await tabTo('Pause');
  await page.keyboard.press('Enter');
  await page.locator('main .state.paused').waitFor();
  await page.getByRole('button', {name: `Cancel job ${job}`}).click();
  await answer(page, 'Cancel');
  await page.locator('main .view-head .state.completed').waitFor();
  await done(page);
});
