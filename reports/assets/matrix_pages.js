// Which view an address names, and the way from one to the next.

const VIEW = document.getElementById('view');
let current = null;

function viewOf({ names, chosen }) {
  if (!names.length) return versionsView(chosen);
  if (names[0] === 'error-codes') return codesView(chosen);
  if (names[0] === 'differences') return differencesView();
  const api = APIS.get(names[0]);
  if (!api) return nowhere(names);
  if (names.length === 1) return apiView(api);
  if (names[1] === 'first-difference') return firstDifferenceView(api);
  const version = api.versions.find((one) => 'v' + one.version === names[1]);
  const index = names.length < 3 ? 0 : TARGETS.indexOf(names[2]);
  return version && index >= 0 ? cellView(api, version, index, Number(names[3]) || 0) : nowhere(names);
}

function nowhere(names) {
  return {
    title: 'Not found',
    nodes: [head('Nothing stands here'), make('p', {}, 'This run has nothing under “' + names.join('/') + '”. ',
      link('#', 'All versions'))],
  };
}

function show() {
  const place = placeOf(location.hash);
  const path = place.names.join('/');
  if (current && current.path === path && current.view.update) {
    current.view.update(place.chosen);
    return;
  }
  const isFirst = current === null;
  const view = viewOf(place);
  current = { path, view };
  VIEW.replaceChildren(...view.nodes.flat(Infinity).filter((node) => node !== ''));
  document.title = view.title + ' · Compatibility matrix: ' + TARGETS.join(', ');
  markCurrent(place.names[0] || '');
  const opened = place.names[3] && document.getElementById('exchange-' + place.names[3]);
  if (opened) {
    opened.querySelector('summary').focus();
    opened.scrollIntoView();
  } else if (!isFirst) {
    document.getElementById('head').focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

// The view's link in the header says that it is the one that is shown.
function markCurrent(name) {
  for (const one of document.querySelectorAll('nav a')) {
    if (one.getAttribute('href') === '#' + name) one.setAttribute('aria-current', 'page');
    else one.removeAttribute('aria-current');
  }
}

addEventListener('hashchange', show);
show();
