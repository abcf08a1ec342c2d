// The matrix: a row for each version of each API, a column for each target; sorted and filtered by the address.

const VERSION_STATES = {
  '': ['every state', () => true],
  differs: ['differs', (part) => part.open + part.accepted > 0],
  'differs-openly': ['differs, and no entry accepts it', (part) => part.open > 0],
  'not-exercised': ['served, not exercised', (part) => part.state === 'idle'],
  'not-served': ['not served', (part) => part.state === 'absent' || part.state === 'refused'],
  'unprovoked-codes': ['error codes of the API not provoked', (part) => part.unprovoked > 0],
  'unseen-fields': ['request fields always at the default', (part) => part.unseen > 0],
};

const ROWS = DATA.apis.flatMap((api) => api.versions.map((version) => ({
  api,
  version,
  cells: version.cells.map((cell, index) => ({
    ...cell,
    unprovoked: api.refusals.filter((refusal) => !refusal.provoked[index]).length,
    unseen: cell.state === 'exercised' ? version.known.length - cell.fields.length : 0,
  })),
})));

// Name → [what the column is called, the value that it is sorted by].
function versionColumns() {
  const columns = new Map([
    ['api', ['API', (row) => row.api.api.toLowerCase()]],
    ['version', ['Version', (row) => row.version.version]],
  ]);
  TARGETS.forEach((target, index) => columns.set(target, [named(index), (row) => row.cells[index].exercised]));
  columns.set('differences', ['Differences', (row) => row.version.open * 1e6 + row.version.accepted]);
  return columns;
}

function sortedBy(rows, columns, chosen) {
  const [, value] = columns.get(chosen.sort) || columns.values().next().value;
  const sign = chosen.order === 'descending' ? -1 : 1;
  return rows.map((row, index) => [value(row), index, row]).sort((one, other) =>
    (one[0] < other[0] ? -sign : one[0] > other[0] ? sign : one[1] - other[1])).map(([, , row]) => row);
}

function wordsOf(chosen) {
  return (chosen.find || '').toLowerCase().split(/\s+/).filter(Boolean);
}

function fittingVersions(chosen) {
  const [, isState] = VERSION_STATES[chosen.state || ''] || VERSION_STATES[''];
  const words = wordsOf(chosen);
  const shown = TARGETS.map((_, index) => index).filter((index) => !chosen.target || TARGETS[index] === chosen.target);
  return ROWS.filter((row) => {
    const said = (row.api.api + ' v' + row.version.version).toLowerCase();
    return words.every((word) => said.includes(word)) && shown.some((index) => isState(row.cells[index]));
  });
}

function versionCell(row, index) {
  const cell = row.cells[index];
  const place = address([row.api.api, 'v' + row.version.version, TARGETS[index]]);
  const badges = make('span', { class: 'badges' }, STATES[cell.state](cell), differBadges(cell));
  if (cell.state === 'absent') return badges;
  const said = [];
  if (row.api.refusals.length) said.push('error codes ' + cell.provoked + ' of ' + row.api.refusals.length);
  if (row.version.known.length) said.push('fields ' + cell.fields.length + ' of ' + row.version.known.length);
  return make('a', { class: 'cell', href: place }, badges,
    cell.state === 'idle' ? '' : make('span', { class: 'amounts' }, said.join(' · ')),
    make('span', { class: 'unseen' }, ' on ' + TARGETS[index] + ': see the exchanges of ' + row.api.api + ' v' + row.version.version));
}

function versionRow(row, heads, shown) {
  const name = link(address([row.api.api]), row.api.api);
  const differs = row.version.open + row.version.accepted
    ? link(address([row.api.api, 'first-difference']), differBadges(row.version))
    : make('span', { class: 'soft' }, row.cells.filter((cell) => cell.exercised).length > 1 ? 'none seen' : 'not compared');
  return rowOf(heads, [name, 'v' + row.version.version, ...shown.map((index) => versionCell(row, index)), differs]);
}

function choice(name, label, options, chosen) {
  const select = make('select', { id: name, name }, options.map(([value, said]) =>
    make('option', { value, selected: value === (chosen[name] || '') }, said)));
  return make('span', { class: 'choice' }, make('label', { for: name }, label), select);
}

// The form above a table: text, state, target, order. `columns` as versionColumns gives them.
function tools(chosen, states, columns) {
  const find = make('input', { id: 'find', name: 'find', type: 'search', value: chosen.find || '', placeholder: 'Produce v9 …' });
  return make('form', { class: 'tools', role: 'search' },
    make('span', { class: 'choice' }, make('label', { for: 'find' }, 'API'), find),
    choice('state', 'State', Object.entries(states).map(([value, [said]]) => [value, said]), chosen),
    choice('target', 'Target', [['', 'every target'], ...TARGETS.map((target) => [target, target])], chosen),
    choice('sort', 'Sorted by', [...columns].map(([name, [said]]) => [name === 'api' ? '' : name, said]), chosen),
    choice('order', 'Order', [['', 'ascending'], ['descending', 'descending']], chosen));
}

function chosenIn(form) {
  return Object.fromEntries(new FormData(form));
}

// A sortable table's head: each column's name leads to the same view in that order.
function sortableHead(path, chosen, columns) {
  const row = make('tr', { role: 'row' });
  for (const [name, [said]] of columns) {
    const sort = name === 'api' ? '' : name;
    const isSorted = (chosen.sort || '') === sort;
    const isDown = chosen.order === 'descending';
    const next = { ...chosen, sort, order: isSorted && !isDown ? 'descending' : '' };
    const order = isSorted ? (isDown ? 'descending' : 'ascending') : 'none';
    row.append(make('th', { scope: 'col', role: 'columnheader', 'aria-sort': order },
      make('a', { href: address(path, next), 'data-column': name }, said,
        make('span', { class: 'arrow', 'aria-hidden': 'true' }, isSorted ? (isDown ? ' ▼' : ' ▲') : ' ↕'))));
  }
  return row;
}

// A view with a form and a table that follows it. `parts` gives {columns, rows, said} for what is chosen.
function sortableView(path, kind, caption, chosen, states, allColumns, parts) {
  const form = tools(chosen, states, allColumns);
  const said = make('p', { class: 'soft', role: 'status', id: 'shown' });
  const thead = make('thead', { role: 'rowgroup' });
  const tbody = make('tbody', { role: 'rowgroup' });
  const made = make('table', { class: kind, role: 'table' }, make('caption', { class: 'unseen' }, caption), thead, tbody);
  const show = (now) => {
    const { columns, rows, words } = parts(now);
    const held = document.activeElement && document.activeElement.dataset.column;
    thead.replaceChildren(sortableHead(path, now, columns));
    tbody.replaceChildren(...rows);
    said.textContent = words;
    if (held) for (const one of thead.querySelectorAll('a')) if (one.dataset.column === held) one.focus();
  };
  let now = address(path, chosenIn(form));
  form.addEventListener('submit', (event) => event.preventDefault());
  const choose = () => {
    const place = address(path, chosenIn(form));
    if (place === now) return; // leaving a field must not replace the link that is being clicked
    now = place;
    history.replaceState(null, '', place);
    show(chosenIn(form));
  };
  form.addEventListener('input', choose);
  form.addEventListener('change', choose);
  show(chosen);
  const update = (wanted) => {
    for (const field of form.elements) if (field.name) field.value = wanted[field.name] || '';
    now = address(path, chosenIn(form));
    show(wanted);
  };
  const wide = { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption };
  return { nodes: [form, said, TARGETS.length > 2 ? make('div', wide, made) : made], update };
}

function versionsView(chosen) {
  const parts = (now) => {
    const columns = versionColumns();
    if (now.target) for (const target of TARGETS) if (target !== now.target) columns.delete(target);
    const shown = TARGETS.map((_, index) => index).filter((index) => columns.has(TARGETS[index]));
    const heads = [...columns.values()].map(([said]) => said);
    const rows = sortedBy(fittingVersions(now), columns, now);
    return { columns, rows: rows.map((row) => versionRow(row, heads, shown)), words: shownWords(rows) };
  };
  const view = sortableView([], 'versions', 'Versions of each API on each target', chosen, VERSION_STATES, versionColumns(), parts);
  return { title: 'Versions', nodes: [head('Versions'), totals(), leftOut(), ...view.nodes], update: view.update };
}

function shownWords(rows) {
  const of = (test) => rows.filter((row) => row.cells.some(test)).length;
  const apis = new Set(rows.map((row) => row.api)).size;
  return 'Shown: ' + count(rows.length) + ' of ' + count(ROWS.length, 'version') + ', ' + count(apis, 'API') + '; ' +
    count(of((cell) => cell.state === 'exercised')) + ' exercised, ' + count(of((cell) => cell.state === 'idle')) +
    ' not exercised on some target, ' + count(rows.filter((row) => row.version.open).length) + ' with differences, ' +
    count(rows.filter((row) => row.version.accepted).length) + ' with accepted differences.';
}

function leftOut() {
  return DATA.left_out ? make('p', { class: 'soft' }, 'To keep this page small, ' + count(DATA.left_out, 'exchange') +
    ' of account.json are left out of it; all are counted.') : '';
}

// What was compared at all, target by target.
function totals() {
  const rows = TARGETS.map((_, index) => {
    const served = ROWS.filter((row) => row.cells[index].state === 'exercised' || row.cells[index].state === 'idle');
    const refusals = DATA.apis.flatMap((api) => api.refusals);
    const known = served.reduce((sum, row) => sum + row.version.known.length, 0);
    const seen = served.reduce((sum, row) => sum + row.cells[index].fields.length, 0);
    const exchanges = ROWS.reduce((sum, row) => sum + row.cells[index].exercised, 0);
    const tried = served.filter((row) => row.cells[index].state === 'exercised').length;
    return [named(index), count(tried) + ' of ' + count(served.length), count(exchanges),
      count(refusals.filter((one) => one.provoked[index]).length) + ' of ' + count(refusals.length),
      count(seen) + ' of ' + count(known)];
  });
  return table('totals', 'What was compared, by target',
    ['Target', 'versions exercised', 'exchanges', 'error codes provoked', 'request fields set to other than the default'], rows);
}
