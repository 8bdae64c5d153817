// Which view is shown: what stands behind the # of the address. `#/jobs/12?state=failed`.

export function here() {
  const [path, query = ''] = location.hash.replace(/^#/, '').split('?', 2);
  return {path: path.split('/').filter(Boolean).map(unescapePart), parameters: Object.fromEntries(new URLSearchParams(query))};
}

function unescapePart(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function link(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

export function go(path, parameters) {
  location.hash = link(path, parameters);
}

/**
 * Shows the view of the address, and the next whenever it changes. `open(place, signal)` gives the view {title, node, parameters?}; `signal` is
 * aborted when it is left. Where only the parameters change the same view hears of them.
 */
export function route(main, open) {
  let shown = null, leave = null, path = null;
  const show = first => {
    const place = here();
    const wanted = JSON.stringify(place.path);
    if (shown && wanted === path && shown.parameters) {
      shown.parameters(place.parameters);
      return;
    }
    leave?.abort();
    leave = new AbortController();
    path = wanted;
    shown = open(place, leave.signal);
    main.replaceChildren(shown.node);
    if (first) return;
    scrollTo(0, 0);
    const title = main.querySelector('h1');
    title?.setAttribute('tabindex', '-1');
    title?.focus({preventScroll: true});
  };
  addEventListener('hashchange', () => show(false));
  show(true);
}
