// What all views are made of: the run's data, elements, places in the page's address, badges, tables.

const DATA = JSON.parse(document.getElementById('data').textContent);
const TARGETS = DATA.targets;
const APIS = new Map(DATA.apis.map((api) => [api.api, api]));
const API_NAMES = new Map(DATA.apis.map((api) => [api.key, api.api]));
document.documentElement.classList.add('scripted');

// An element with its attributes and children; texts are never read as markup. Empty children are left out.
function make(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== '' && child !== null && child !== undefined));
  return made;
}

function count(number, noun, plural) {
  const said = number.toLocaleString('en');
  if (!noun) return said;
  return said + ' ' + (number === 1 ? noun : plural || noun + 's');
}

// A place in this page: its names, and what is chosen there.
function address(names, chosen) {
  const query = new URLSearchParams(Object.entries(chosen || {}).filter(([, value]) => value)).toString();
  return '#' + names.map(encodeURIComponent).join('/').replace(/%40/g, '@').replace(/%3A/g, ':') +
    (query ? '?' + query : '');
}

function placeOf(hash) {
  const [path, query] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const names = path.split('/').filter(Boolean).map((name) => {
    try { return decodeURIComponent(name); } catch { return name; }
  });
  return { names, chosen: Object.fromEntries(new URLSearchParams(query || '')) };
}

function link(href, ...children) {
  return make('a', { href }, ...children);
}

function command(line) {
  if (!line) return '';
  const pre = make('pre', { class: 'command' }, make('code', {}, line));
  if (navigator.clipboard) {
    const button = make('button', { type: 'button' }, 'Copy');
    button.addEventListener('click', () => navigator.clipboard.writeText(line).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    }));
    pre.append(button);
  }
  return pre;
}

function badge(kind, sign, words) {
  return make('span', { class: 'badge ' + kind }, make('span', { 'aria-hidden': 'true' }, sign + ' '), words);
}

const STATES = {
  exercised: (cell) => [badge('held', '✓', count(cell.exercised, 'exchange')),
    cell.listed ? '' : badge('unknown', '!', 'not listed, yet served')],
  idle: () => badge('unknown', '○', 'not exercised'),
  absent: () => badge('skipped', '–', 'not served'),
  refused: (cell) => [badge('skipped', '–', 'not served; asked ' + count(cell.exercised, 'time')),
    cell.listed ? badge('unknown', '!', 'listed, yet not served') : ''],
};

function differBadges(part) {
  return [
    part.open ? badge('differs', '≠', count(part.open, 'difference')) : '',
    part.accepted ? badge('skipped', '≈', count(part.accepted) + ' accepted') : '',
  ];
}

function standing(difference) {
  return difference.accepted_by ? badge('skipped', '≈', 'accepted') : badge('differs', '≠', 'differs');
}

function codeName(code) {
  const name = DATA.codes[code];
  return name ? code + ' ' + name : String(code);
}

function named(index) {
  const release = DATA.releases[index];
  return release && !TARGETS[index].includes(release) ? TARGETS[index] + ' (' + release + ')' : TARGETS[index];
}

// A table that keeps its meaning for screen readers where a narrow screen shows its rows as cards.
// Each row is a list of cells, its first the row's head; a cell is an element, a text or a list of them.
function table(kind, caption, heads, rows) {
  const body = make('tbody', { role: 'rowgroup' }, rows.map((row) => rowOf(heads, row)));
  const head = make('tr', { role: 'row' }, heads.map((name) => make('th', { scope: 'col', role: 'columnheader' }, name)));
  return make('table', { class: kind, role: 'table' }, make('caption', { class: 'unseen' }, caption),
    make('thead', { role: 'rowgroup' }, head), body);
}

function rowOf(heads, row, kind) {
  return make('tr', { role: 'row', class: kind }, row.map((cell, index) => index
    ? make('td', { role: 'cell', 'data-label': heads[index] }, cell)
    : make('th', { role: 'rowheader', scope: 'row' }, cell)));
}

// The name of a field or an error code, which a narrow column breaks between its parts.
function pathCode(path) {
  return make('code', {}, path.split(/(?<=_)|(?=\.)/).map((part, index) => (index ? [make('wbr'), part] : part)));
}

// Short names in a row that breaks only between them.
function chips(names) {
  return names.length ? make('ul', { class: 'chips' }, names.map((name) => make('li', {}, make('code', {}, name)))) : '';
}

function facts(pairs) {
  const said = pairs.filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return make('dl', {}, said.map(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

function head(words, ...more) {
  return make('h2', { tabindex: '-1', id: 'head' }, words, ...more);
}
