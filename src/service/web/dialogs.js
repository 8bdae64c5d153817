// Questions to the person, and short sayings at the edge of the page.
import {h} from './dom.js';

function open(dialog) {
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove(), {once: true});
  dialog.showModal();
}

let numbers = 0;

/**
 * Asks before something is done. `points` are lines that say what it will do; with `agree` a box must be ticked first. Resolves to true
 * when the person wants it.
 */
export function ask({title, points = [], action, danger = false, agree = null}) {
  return new Promise(resolve => {
    const name = `dialog-${++numbers}`;
    const box = agree && h('input', {type: 'checkbox', required: true});
    const yes = h('button', {class: danger ? 'button danger' : 'button main', type: 'submit', value: 'yes'}, action);
    const no = h('button', {class: 'button', type: 'button', autofocus: true, on: {click: () => dialog.close('')}}, 'Back');
    const dialog = h('dialog', {'aria-labelledby': name},
      h('form', {method: 'dialog'},
        h('h2', {id: name}, title),
        points.length > 1 ? h('ul', {}, points.map(point => h('li', {}, point))) : h('p', {}, points),
        agree && h('label', {class: 'check'}, box, h('span', {}, agree)),
        h('div', {class: 'actions'}, no, yes)));
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
    open(dialog);
  });
}

/** Asks for the token until one is given. Resolves to it. */
export function askToken(wrong) {
  return new Promise(resolve => {
    const field = h('input', {id: 'token', type: 'password', autocomplete: 'off', required: true, autofocus: true, spellcheck: 'false', 'aria-describedby': 'token-hint'});
    const dialog = h('dialog', {'aria-labelledby': 'token-title', class: 'token'},
      h('form', {method: 'dialog'},
        h('h2', {id: 'token-title'}, 'A token is needed'),
        wrong && h('p', {class: 'bad-text', role: 'alert'}, 'The service does not take this token. Look for blanks or line ends that were copied with it.'),
        h('div', {class: 'field'}, h('label', {for: 'token'}, 'Token'), field),
        h('p', {id: 'token-hint', class: 'hint'},
          'It stands in the file of serve.token_file, or serve.read_token_file for looking only. It is kept in this tab, and forgotten when the tab is closed.'),
        h('div', {class: 'actions'}, h('button', {class: 'button main', type: 'submit'}, 'Go on'))));
    dialog.addEventListener('cancel', event => event.preventDefault());  // without a token there is nothing to see
    dialog.addEventListener('close', () => {
      // Blanks and marks that nobody sees come along when it is copied, and no token has them.
      const token = field.value.replace(/[^\x21-\x7e]/g, '');
      if (token) resolve(token);
      else askToken(wrong).then(resolve);
    }, {once: true});
    open(dialog);
  });
}

const most_sayings = 4;

/** Says something at the edge of the page, and to screen readers. What went wrong stays until it is closed. */
export function say(text, {bad = false, title = null} = {}) {
  const area = document.getElementById('sayings');
  const saying = h('div', {class: bad ? 'saying bad' : 'saying'},
    h('p', {}, title && h('strong', {}, `${title}. `), text),
    h('button', {class: 'button slim', type: 'button', on: {click: () => saying.remove()}}, 'Close'));
  // The same once more says nothing new.
  for (const other of [...area.children]) if (other.firstElementChild.textContent === saying.firstElementChild.textContent) other.remove();
  while (area.childElementCount >= most_sayings) area.firstElementChild.remove();
  area.append(saying);
  if (!bad) setTimeout(() => saying.remove(), 8000);
}

/** Says why something did not work. What was left on purpose is no failure. */
export function sayProblem(error) {
  if (error.name === 'AbortError' || error.reading) return;
  say(error.message, {bad: true, title: error.title ?? null});
  if (error.name !== 'Problem' && error.name !== 'Unreachable') console.error(error);
}
