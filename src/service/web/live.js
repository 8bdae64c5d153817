// What the service is doing now: the overview, kept fresh by its events. One stream for the whole page.
import {Unreachable} from './api.js';

const first_wait = 1000, longest_wait = 30000;
const look_every = 15000;   // the overview is read at least so often while the page is seen
const look_hidden = 60000;
const gather = 250;         // events of this time are told together

/**
 * Events: `overview` (something in it changed), `progress` (detail: array of progresses), `job`, `import`, `notice` (detail: the event's data),
 * `connection` (state changed), `caught-up` (events may have been missed: read again what you show).
 */
export class Live extends EventTarget {
  constructor(api) {
    super();
    this.api = api;
    this.overview = null;
    this.connection = 'connecting';  // connecting, live or lost
    this.problem = null;             // why it is lost
    this.wait = first_wait;
    this.progress = new Map();       // the newest of each job, until told
    this.timers = {};
  }

  start() {
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.soon('look', 0, () => this.look()); });
    addEventListener('online', () => this.soon('connect', 0, () => this.connect()));
    this.connect();
  }

  // One timer of each name at a time.
  soon(name, delay, act) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(act, delay);
  }

  async connect() {
    clearTimeout(this.timers.connect);
    this.close();
    const attempt = this.attempt = (this.attempt ?? 0) + 1;
    try {
      await this.read();
      const address = await this.api.ticketed('/v1/events');
      if (attempt === this.attempt) this.listen(address);
    } catch (error) {
      if (attempt === this.attempt) this.lose(error);
    }
  }

  listen(address) {
    const source = this.source = new EventSource(address);
    source.onopen = () => {
      this.wait = first_wait;
      this.become('live', null);
      this.refresh(0);
      this.tell('caught-up');
    };
    // A ticket holds once, so a new connection needs a new address: EventSource is not left to try by itself.
    source.onerror = () => { if (source === this.source) this.lose(new Unreachable(true)); };
    const hear = (name, act) => source.addEventListener(name, event => act(JSON.parse(event.data)));
    hear('progress', data => this.advance(data));
    hear('job', data => { this.tell('job', data); this.refresh(); });
    hear('import', data => { this.tell('import', data); this.refresh(); });
    hear('notice', data => this.tell('notice', data));
    hear('lost', () => { this.refresh(); this.tell('caught-up'); });
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  lose(error) {
    this.close();
    this.become('lost', error);
    this.soon('connect', this.wait * (0.75 + Math.random() / 2), () => this.connect());
    this.wait = Math.min(this.wait * 2, longest_wait);
  }

  become(connection, problem) {
    this.connection = connection;
    this.problem = problem;
    this.tell('connection');
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }

  /** Reads the overview soon; several wishes are one request. */
  refresh(delay = gather) {
    if (delay === 0 || !this.refreshing) this.soon('look', delay, () => this.look());
    this.refreshing = true;
  }

  async look() {
    try {
      await this.read();
    } catch (error) {
      if (this.connection !== 'lost') this.lose(error);
    }
  }

  async read() {
    this.refreshing = false;
    this.soon('look', document.hidden ? look_hidden : look_every, () => this.look());
    this.overview = await this.api.get('/v1/overview');
    this.tell('overview');
  }

  advance(data) {
    this.progress.set(data.job, data);
    if (this.gathering) return;
    this.gathering = true;
    setTimeout(() => {
      this.gathering = false;
      const all = [...this.progress.values()];
      this.progress.clear();
      for (const one of all) {
        const job = this.overview?.unfinished.find(j => j.job === one.job);
        if (job) Object.assign(job, counts(one), {progress: one});
      }
      this.tell('progress', all);
    }, gather);
  }
}

const states = ['rows', 'created', 'duplicate', 'duplicate_pending', 'duplicate_unknown', 'duplicate_failed', 'rejected', 'failed', 'unknown', 'pending', 'requests', 'minimum_requests'];

// While the input is read, its rows are counted, but are not the job's yet.
export function counts(progress) {
  if (progress.phase === 'reading') return {};
  return Object.fromEntries(states.filter(name => name in progress).map(name => [name, progress[name]]));
}
