// A page that is kept open for a working day: eight hours of events in fast motion, and memory that stays flat.
import assert from 'node:assert/strict';
import http from 'node:http';
import {once} from 'node:events';
import {after, before, test} from 'node:test';
import {done, go, launch, live, openPage} from './browser.js';
import {House, table, until} from './programs.js';

const minutes = 8 * 60, events_a_minute = 60;
let house, browser, way;

// In front of the service: all goes through but the event stream, which is made up here.
async function fastWay(service) {
  const streams = new Set();
  const server = http.createServer((request, answer) => {
    if (request.url.startsWith('/v1/events')) {
      answer.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'}).write('retry: 2000\n\n');
      streams.add(answer);
      answer.on('close', () => streams.delete(answer));
      return;
    }
    const {origin, ...headers} = request.headers;  // the service would take this way for another site's page
    const onward = http.request(service.url + request.url, {method: request.method, headers: {...headers, host: new URL(service.url).host}}, from => {
      answer.writeHead(from.statusCode, from.headers);
      from.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    request.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let id = 0;
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    streams,
    tell(events) {
      const text = events.map(([name, data]) => `id: ${++id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('');
      for (const stream of streams) stream.write(text);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

before(async () => {
  house = await new House({sandbox: ['--limits', '1,2,3']}).open();
  house.drop('all day.csv', table(400, {note: i => `day ${i % 50}`}));
  await until('it has begun', async () => (await house.ask('/v1/jobs?state=unfinished')).jobs[0]?.created > 0);
  way = await fastWay(house);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  way?.close();
  await house?.close();
});

function minuteOf(m, progress) {
  const events = [];
  for (let i = 0; i < events_a_minute; ++i) {
    const created = m * events_a_minute + i;
    events.push(['progress', {...progress, created, pending: minutes * events_a_minute - created, rows: minutes * events_a_minute, requests: created}]);
  }
  events.push(['notice', {job: progress.job, text: `minute ${m} of the day`}], ['job', {job: progress.job, state: 'running', error: null}]);
  if (m % 10 === 0) events.push(['import', {import: `file-${m}.csv.20261125T200406Z.1`, state: 'accepted', job: progress.job, error: null}]);
  return events;
}

for (const at of ['#/', '#/jobs/1']) {
  test(`eight hours of events at ${at} leave memory flat`, async () => {
    const page = await openPage(browser, way, {at});
    await page.clock.install();
    await page.reload();
    await live(page);
    const debug = await page.context().newCDPSession(page);
    await debug.send('HeapProfiler.enable');
    const measure = async () => {
      await debug.send('HeapProfiler.collectGarbage');
      await debug.send('HeapProfiler.collectGarbage');
      const {usedSize} = await debug.send('Runtime.getHeapUsage');
      const {nodes, jsEventListeners} = await debug.send('Memory.getDOMCounters');
      return {heap: usedSize, nodes, listeners: jsEventListeners};
    };
    const progress = (await house.ask('/v1/jobs/1')).progress ?? {job: 1, phase: 'sending', duplicate: 0, rejected: 0, failed: 0, unknown: 0, minimum_requests: 50, in_flight: 1, bytes_read: 0, bytes_total: 0,
      contacts_read: 0, contacts_total: 0, waiting_for: null, waiting_until: null, expected_end: null};
    let first;
    for (let m = 0; m < minutes; ++m) {
      way.tell(minuteOf(m, progress));
      await page.clock.runFor(60000);
      if (m === 60) first = await measure();
    }
    await page.locator('.log li').first().waitFor();
    const last = await measure();
    const told = `after an hour ${JSON.stringify(first)}, after eight ${JSON.stringify(last)}`;
    console.log(`# ${at}: ${told}`);
    assert.ok(last.heap < first.heap * 1.15 + 300000, told);
    assert.ok(last.nodes < first.nodes * 1.15 + 100, told);
    assert.ok(last.listeners <= first.listeners + 20, told);
    assert.equal(way.streams.size, 1, 'one stream for the page');
    await go(page, '#/imports');
    await go(page, at);
    await done(page);
  });
}
