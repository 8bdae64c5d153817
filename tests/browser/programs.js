// The real sandbox and the real service, in a folder of their own that goes away with them.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

export const patience = 30000;  // milliseconds that anything may take
export const write_token = 'a-token-that-may-do-all', read_token = 'a-token-that-may-look';

const program = process.env.TASKBARGE;
if (!program) throw new Error('TASKBARGE must name the program');

/** Waits for `condition` within bounds and gives what it gave. */
export async function until(what, condition) {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`not in time: ${what}`);
}

class Program {
  async start(words, environment, log, lines) {
    const log_file = fs.openSync(log, 'a');
    this.process = spawn(program, words, {env: {...process.env, ...environment}, stdio: ['ignore', 'pipe', log_file]});
    fs.closeSync(log_file);
    this.ended = once(this.process, 'exit');
    const said = {};
    const reader = readline.createInterface({input: this.process.stdout});
    for await (const line of reader) {
      const at = line.indexOf('=');
      said[line.slice(0, at)] = line.slice(at + 1);
      if (Object.keys(said).length === lines) return said;
    }
    throw new Error(`${words[0]} did not start: ${fs.readFileSync(log, 'utf8').slice(-2000)}`);
  }

  async end(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), patience);
    await this.ended;
    clearTimeout(timer);
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A sandbox and a service that sends to it. `with_tokens`: it asks for one. */
export class House {
  constructor({sandbox = [], settings = [], with_tokens = false} = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taskbarge-browser-'));
    this.inbox = path.join(this.folder, 'inbox');
    fs.mkdirSync(this.inbox);
    this.sandbox_options = sandbox;
    this.settings = settings;
    this.tokens = with_tokens ? {TASKBARGE_TOKEN: write_token, TASKBARGE_READ_TOKEN: read_token} : {};
    this.sandbox = new Program();
    this.service = new Program();
  }

  async open() {
    this.apollo = await this.sandbox.start(['sandbox', '--listen', '127.0.0.1:0', '--state', path.join(this.folder, 'sandbox'), '--quiet', '--minimal-answers', ...this.sandbox_options],
      {}, path.join(this.folder, 'sandbox.log'), 3);
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    await this.startService();
    return this;
  }

  async startService() {
    const set = {'apollo.base_url': this.apollo.base_url, 'apollo.ca_file': this.apollo.ca_file, 'serve.settle': '200ms', 'serve.poll': '300ms', 'import.chunk_size': 8,
      'send.settle_time': '1s', 'send.backoff_base': '50ms', 'send.connections': 1, ...Object.fromEntries(this.settings)};
    this.service = new Program();
    await this.service.start(['serve', '--listen', `127.0.0.1:${this.port}`, '--inbox', this.inbox, '--ledger', path.join(this.folder, 'ledger.db'),
      ...Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`])],
      {APOLLO_API_KEY: this.apollo.APOLLO_API_KEY, ...this.tokens}, path.join(this.folder, 'service.log'), 1);
  }

  async ask(path, options = {}) {
    const headers = this.tokens.TASKBARGE_TOKEN ? {Authorization: `Bearer ${write_token}`} : {};
    const answer = await fetch(this.url + path, {...options, headers});
    if (!answer.ok) throw new Error(`${path} said ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  file(name, text) {
    const at = path.join(this.folder, name);
    fs.writeFileSync(at, text);
    return at;
  }

  drop(name, text) {
    const hidden = path.join(this.inbox, '.dropped');
    fs.writeFileSync(hidden, text);
    fs.renameSync(hidden, path.join(this.inbox, name));
  }

  async close() {
    await this.service.end();
    await this.sandbox.end();
    fs.rmSync(this.folder, {recursive: true, force: true});
  }
}

const header = 'contact_id,user_id,type,status,due_at,note';
let contacts = 0;

/** Rows as a file with our own names of columns. `note(i)` of each; equal notes go together. */
export function table(rows, {note = () => 'Ask about the renewal', id = null, names = header} = {}) {
  const lines = [names];
  for (let i = 0; i < rows; ++i) {
    const contact = id?.(i) ?? (0x66e9e215ece198n * 0x100000000n * 0x100n + BigInt(++contacts)).toString(16).padStart(24, '0');
    lines.push(`${contact},66302798d03b9601c7934ebf,call,scheduled,2027-02-15T10:00:00Z,"${note(i).replaceAll('"', '""')}"`);
  }
  return `${lines.join('\n')}\n`;
}
