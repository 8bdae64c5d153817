// The service's API. A refusal is a `Problem` that says what to do; the token stays in this tab.

const token_key = 'taskbarge.token';

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The service answered ${status}.`);
    this.name = 'Problem';
    this.status = status;
    this.type = (body?.type ?? '').replace('/problems/', '');
    this.title = body?.title ?? 'That did not work';
  }
}

/** Nothing was answered: the service is not there, or the way to it is not. */
export class Unreachable extends Error {
  // `reading`: nothing but a look was tried; the banner says enough, and what is shown is read again.
  constructor(reading) {
    super('The service gives no answer. Is it running? This page goes on trying.');
    this.name = 'Unreachable';
    this.reading = reading;
  }
}

export class Api {
  // `ask_token(wrong)` asks the person and resolves when there is a new token to try.
  constructor(ask_token) {
    this.ask_token = ask_token;
    this.asking = null;
  }

  get token() {
    return sessionStorage.getItem(token_key) ?? '';
  }

  set token(value) {
    if (value) sessionStorage.setItem(token_key, value);
    else sessionStorage.removeItem(token_key);
  }

  get(path, parameters = {}, signal = undefined) {
    return this.request('GET', address(path, parameters), {signal});
  }

  post(path, parameters = {}, signal = undefined) {
    return this.request('POST', address(path, parameters), {signal});
  }

  delete(path) {
    return this.request('DELETE', path);
  }

  putToml(path, text) {
    return this.request('PUT', path, {body: text, type: 'application/toml'});
  }

  async request(method, path, {body, type, signal} = {}) {
    for (;;) {
      const used = this.token;
      const headers = {Accept: 'application/json'};
      if (used) headers.Authorization = `Bearer ${used}`;
      if (type) headers['Content-Type'] = type;
      let answer, said;
      try {
        answer = await fetch(path, {method, headers, body, signal, cache: 'no-store', credentials: 'same-origin', redirect: 'error'});
        said = await read(answer);
      } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new Unreachable(method === 'GET');
      }
      if (answer.ok) return said;
      if (answer.status !== 401) throw new Problem(answer.status, said);
      await this.newToken(used);
      signal?.throwIfAborted();
    }
  }

  // All requests that were refused wait for one dialog.
  newToken(used) {
    if (this.token !== used) return Promise.resolve();
    this.asking ??= this.ask_token(used !== '').finally(() => { this.asking = null; });
    return this.asking;
  }

  /** Sends a file as it is, and tells how far it is. */
  async upload(path, parameters, file, on_progress, signal) {
    for (;;) {
      const used = this.token;
      const {status, said} = await send(address(path, parameters), used, file, on_progress, signal);
      if (status >= 200 && status < 300) return said;
      if (status !== 401) throw new Problem(status, said);
      await this.newToken(used);
    }
  }

  /** The address by which a browser, which sends no token there, may read `path` once. */
  async ticketed(path, parameters = {}) {
    if (!this.token) return address(path, parameters);
    const {ticket} = await this.request('POST', '/v1/tickets', {body: JSON.stringify({path}), type: 'application/json'});
    return address(path, {...parameters, ticket});
  }

  /** Has the browser save what `path` answers. */
  async download(path, parameters) {
    await this.request('HEAD', address(path, parameters)).catch(() => this.get(path, parameters));  // a refusal is told here, not by a file that fails
    const link = document.createElement('a');
    link.href = await this.ticketed(path, parameters);
    link.download = '';
    document.body.append(link);
    link.click();
    link.remove();
  }
}

/** Path and query; parameters that are empty are left out. */
export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function read(answer) {
  const text = await answer.text();
  if (!(answer.headers.get('Content-Type') ?? '').includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function send(path, token, file, on_progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (token) request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.upload.onprogress = event => on_progress(event.loaded, event.lengthComputable ? event.total : file.size);
    request.onload = () => {
      let said = null;
      try {
        said = JSON.parse(request.responseText);
      } catch { /* a proxy's page: the status says enough */ }
      resolve({status: request.status, said});
    };
    request.onerror = () => reject(new Unreachable(false));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), {once: true});
    request.send(file);
  });
}
