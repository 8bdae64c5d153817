// Chromium, and a page that is watched: what the browser complains of fails the test.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {chromium} from 'playwright-core';
import {patience, until} from './programs.js';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const shots = process.env.TASKBARGE_SCREENSHOTS;  // a folder, where pictures are wanted

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A page of `house`, in a context of its own. `page.complaints` is what the browser complains of. */
export async function openPage(browser, house, {width = 1280, height = 900, dark = false, at = '#/', ...more} = {}) {
  const context = await browser.newContext({viewport: {width, height}, colorScheme: dark ? 'dark' : 'light', timezoneId: 'Europe/Berlin', reducedMotion: 'reduce', ...more});
  await context.addInitScript({path: axe});
  await context.addInitScript(() => addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)));
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.complaints = [];
  page.on('pageerror', error => page.complaints.push(error.stack));
  page.on('dialog', dialog => {
    page.complaints.push(`a script ran: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', message => {
    // A refused request is the test's own doing; what the page made of it is looked at there.
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) page.complaints.push(message.text());
  });
  page.under_way = new Set();
  for (const ended of ['requestfinished', 'requestfailed']) page.on(ended, request => page.under_way.delete(request));
  page.on('request', request => {
    if (!request.url().includes('/v1/events')) page.under_way.add(request);
    if (!request.url().startsWith(house.url) && !request.url().startsWith('data:') && !request.url().startsWith('blob:')) page.complaints.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(`${house.url}/${at}`);
  return page;
}

/** Goes to another view without loading the page again. */
export async function go(page, at) {
  await page.evaluate(hash => { location.hash = hash; }, at);
}

export function live(page) {
  return page.locator('#tools .state.live').waitFor();
}

/** Waits until the page has what it asked for. */
export function settled(page) {
  return until('the page has its answers', async () => page.under_way.size === 0 && await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => resolve(true)))) && page.under_way.size === 0);
}

/** Closes the page, and fails when the browser complained. */
export async function done(page) {
  await page.context().close();
  assert.deepEqual(page.complaints, []);
}

/** Fails on what axe finds serious or critical. */
export async function checkAccess(page, what) {
  const found = await page.evaluate(async () => {
    const all = await globalThis.axe.run(document, {resultTypes: ['violations']});
    return all.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ').slice(0, 400)}`);
  });
  assert.deepEqual(found, [], what);
}

/** Fails when the page is wider than the window. */
export async function checkWidth(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `${what} is ${over} pixels too wide`);
}

/** A picture for the docs, where they are asked for. */
export async function picture(page, name) {
  if (!shots) return;
  fs.mkdirSync(shots, {recursive: true});
  await page.screenshot({path: path.join(shots, `${name}.png`)});
}

/** Answers the dialog that is open. */
export async function answer(page, button) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', {name: button, exact: true}).click();
  await dialog.waitFor({state: 'detached'});
}
