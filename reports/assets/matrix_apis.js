// One API: its versions, its error codes, its first difference; and one cell of the matrix with its exchanges.

function versionLinks(api, version, index) {
  return make('p', { class: 'soft' }, 'Versions: ', api.versions.map((one, at) => [at ? ' ' : '',
    one === version ? make('strong', {}, 'v' + one.version)
      : link(address(index === undefined ? [api.api] : [api.api, 'v' + one.version, TARGETS[index]]), 'v' + one.version)]));
}

function apiView(api) {
  const heads = ['Version', ...TARGETS.map((_, index) => named(index)), 'Differences'];
  const rows = api.versions.map((version) => {
    const [, , ...others] = versionRow({ api, version, cells: version.cells }, ['API', ...heads],
      TARGETS.map((_, index) => index)).cells;
    return ['v' + version.version, ...others.map((cell) => [...cell.childNodes])];
  });
  return {
    title: api.api,
    nodes: [head(api.api), make('p', {}, 'API key ' + api.key + '. ', link(address([api.api, 'first-difference']), 'First difference')),
      make('h3', {}, 'Versions'), table('versions', 'Versions of ' + api.api, heads, rows),
      make('h3', {}, 'Error codes'), codeTable(api),
      make('h3', {}, 'Differences'), differenceTable(api.differences.map((one) => [api, one]))],
  };
}

// -- error codes --------------------------------------------------------------------------------------------------

const CODE_STATES = {
  '': ['every state', () => true],
  provoked: ['provoked', (times) => times > 0],
  'not-provoked': ['not provoked', (times) => !times],
  unexplained: ['not provoked, and no reason is given', (times, refusal) => !times && !refusal.reason],
  impossible: ['not provoked, for a reason', (times, refusal) => !times && refusal.reason],
};

function provokedCell(times, refusal) {
  if (times) return badge('held', '✓', count(times, 'time'));
  return refusal.reason ? badge('skipped', '–', 'cannot be provoked') : badge('unknown', '○', 'not provoked');
}

function codeHeads() {
  return ['Error code', 'When', ...TARGETS.map((_, index) => named(index))];
}

function codeCells(refusal, shown) {
  const reason = refusal.reason ? make('span', { class: 'reason' }, 'Cannot be provoked: ' + refusal.reason) : '';
  const source = refusal.source === 'header' ? make('span', { class: 'reason' }, 'Kafka was not recorded to answer it.') : '';
  return [pathCode(refusal.code + ' ' + refusal.name), [refusal.when, reason, source],
    ...shown.map((index) => provokedCell(refusal.provoked[index], refusal))];
}

function codeTable(api) {
  if (!api.refusals.length) return make('p', {}, 'No error code is listed for ' + api.api + '.');
  const all = TARGETS.map((_, index) => index);
  return table('codes', 'Error codes of ' + api.api, codeHeads(), api.refusals.map((refusal) => codeCells(refusal, all)));
}

function codesView(chosen) {
  const all = DATA.apis.flatMap((api) => api.refusals.map((refusal) => ({ api, refusal })));
  const columnsOf = () => new Map([
    ['api', ['API', (row) => row.api.api.toLowerCase()]],
    ['code', ['Error code', (row) => row.refusal.code]],
    ['when', ['When', (row) => row.refusal.when]],
    ...TARGETS.map((target, index) => [target, [named(index), (row) => row.refusal.provoked[index]]]),
  ]);
  const parts = (now) => {
    const columns = columnsOf();
    if (now.target) for (const target of TARGETS) if (target !== now.target) columns.delete(target);
    const shown = TARGETS.map((_, index) => index).filter((index) => columns.has(TARGETS[index]));
    const [, isState] = CODE_STATES[now.state || ''] || CODE_STATES[''];
    const fitting = all.filter(({ api, refusal }) => shown.some((index) => isState(refusal.provoked[index], refusal)) &&
      wordsOf(now).every((word) => (api.api + ' ' + refusal.code + ' ' + refusal.name).toLowerCase().includes(word)));
    const heads = [...columns.values()].map(([said]) => said);
    const rows = sortedBy(fitting, columns, now);
    return {
      columns,
      rows: rows.map(({ api, refusal }) => rowOf(heads, [link(address([api.api]), api.api), ...codeCells(refusal, shown)])),
      words: 'Shown: ' + count(rows.length) + ' of ' + count(all.length, 'error code') + '; ' +
        count(rows.filter((row) => shown.every((index) => row.refusal.provoked[index])).length) + ' provoked on each target shown.',
    };
  };
  const view = sortableView(['error-codes'], 'codes', 'Error codes of each API', chosen, CODE_STATES, columnsOf(), parts);
  const words = 'What each API may refuse with: what Apache Kafka was recorded to answer, and what only documents name.';
  return { title: 'Error codes', nodes: [head('Error codes'), make('p', {}, words), ...view.nodes], update: view.update };
}

// -- differences --------------------------------------------------------------------------------------------------

const SHOWN_DIFFERENCES = 40;

function differenceTable(found) {
  if (!found.length) return make('p', {}, 'None was seen.');
  const targets = [...new Set(found.flatMap(([, one]) => Object.keys(one.values)))];
  const made = table('differences', 'Differences', ['Where', ...targets, 'Standing', 'Exchange'], found.map(([api, one]) => [
    [link(address([api.api]), api.api), ' v' + one.version, make('br'), pathCode(one.field)],
    ...targets.map((target) => (target in one.values ? make('code', {}, one.values[target]) : '')),
    [standing(one), one.accepted_by ? [make('br'), one.accepted_by] : ''],
    exchangeLink(api, one),
  ]));
  const shown = make('div', { class: 'wide' }, made);
  return withButton(shown, [...made.tBodies[0].rows].slice(SHOWN_DIFFERENCES), 'difference');
}

// Where the exchange of a difference stands, or its words where it was not kept.
function exchangeLink(api, difference) {
  const version = api.versions.find((one) => one.version === difference.version);
  const number = version ? exchangeOf(version, difference) : -1;
  const target = TARGETS.find((one) => one in difference.values) || TARGETS[0];
  return number < 0 ? difference.exchange
    : link(address([api.api, 'v' + version.version, target, String(number + 1)]), difference.exchange || 'the exchange');
}

function exchangeOf(version, difference) {
  const same = version.exchanges.map((one) => one.request === difference.exchange);
  const exact = version.exchanges.findIndex((one, index) => same[index] && one.check === difference.check);
  // Of several checks that ask the same in the same words, one's exchange may stand for all.
  return exact >= 0 ? exact : version.exchanges.findIndex((one, index) => same[index] &&
    answersOf(one).some((field) => field.differs));
}

function differencesView() {
  const found = DATA.apis.flatMap((api) => api.differences.map((one) => [api, one]));
  found.sort(([, one], [, other]) => Boolean(one.accepted_by) - Boolean(other.accepted_by));
  const said = count(found.length, 'difference') + ', ' + count(found.filter(([, one]) => one.accepted_by).length) +
    ' of them accepted in checks/known_differences.toml.';
  const silent = TARGETS.length < 2 ? 'One target was checked, so nothing was compared.' : said;
  return { title: 'Differences', nodes: [head('Differences'), make('p', {}, silent), found.length ? differenceTable(found) : ''] };
}

function firstDifferenceView(api) {
  const title = api.api + ': first difference';
  const top = [head(title), make('p', {}, 'All of ', link(address([api.api]), api.api))];
  const one = api.differences.find((difference) => !difference.accepted_by) || api.differences[0];
  if (!one) return { title, nodes: [...top, make('p', {}, noDifference(api))] };
  const version = api.versions.find((found) => found.version === one.version);
  const number = version ? exchangeOf(version, one) : -1;
  const accepted = one.accepted_by ? 'checks/known_differences.toml accepts it: ' + one.accepted_by
    : 'No entry of checks/known_differences.toml accepts it.';
  const values = table('values', 'What each target said', ['Target', one.field],
    Object.entries(one.values).map(([target, said]) => [target, make('code', {}, said)]));
  return {
    title,
    nodes: [...top,
      make('p', { class: 'happened' }, standing(one), ' ' + api.api + ' v' + one.version + ', field ', make('code', {}, one.field)),
      facts([['request', one.exchange], ['check', make('code', {}, one.check)], ['standing', accepted]]),
      values, make('h3', {}, 'Run it again'), command(one.rerun || (DATA.checks[one.check] || [''])[0]),
      make('h3', {}, 'The answers side by side'),
      number < 0 ? make('p', {}, 'The whole exchange was not kept.')
        : exchangeDetails(api, version, version.exchanges[number], number + 1, true),
      make('h3', {}, 'All differences of ' + api.api), differenceTable(api.differences.map((found) => [api, found]))],
  };
}

function noDifference(api) {
  const times = TARGETS.map((target, index) =>
    count(api.versions.reduce((sum, version) => sum + version.cells[index].exercised, 0), 'exchange') + ' on ' + target);
  if (TARGETS.length < 2) return 'One target was checked (' + times.join('') + '), so nothing was compared.';
  return 'No difference was seen in ' + times.join(' and ') + '.';
}

// -- a cell -------------------------------------------------------------------------------------------------------

function cellView(api, version, index, number) {
  const cell = version.cells[index];
  const title = api.api + ' v' + version.version + ' on ' + named(index);
  const switcher = TARGETS.map((target, at) => [at ? ' · ' : '', at === index ? make('strong', {}, target)
    : link(address([api.api, 'v' + version.version, target]), target)]);
  return {
    title,
    nodes: [head(title), make('p', {}, 'All of ', link(address([api.api]), api.api), ' · ',
      link(address([api.api, 'first-difference']), 'first difference')),
      versionLinks(api, version, index), make('p', { class: 'soft' }, 'Targets: ', switcher),
      make('p', {}, STATES[cell.state](cell), ' ', differBadges(cell)),
      make('h3', {}, 'Exchanges'), exchangeList(api, version, cell, index, number),
      make('h3', {}, 'What they covered'), coverage(api, version, cell)],
  };
}

function coverage(api, version, cell) {
  const listed = new Map(api.refusals.map((refusal) => [refusal.code, refusal]));
  const codes = Object.entries(cell.codes).map(([code, times]) => codeName(code) + ' (' + count(times, 'time') + ')');
  const missing = api.refusals.filter((refusal) => !(refusal.code in cell.codes)).map((refusal) => refusal.code + ' ' + refusal.name);
  const others = Object.keys(cell.codes).filter((code) => code !== '0' && !listed.has(Number(code))).map(codeName);
  const unseen = version.known.filter((field) => !cell.fields.includes(field)).map((field) => api.fields[field]);
  return facts([
    ['error codes seen', chips(codes)],
    ['listed, not seen here', chips(missing)],
    ['seen, not listed', chips(others)],
    ['request fields set to other than the default', fieldsOf(api, cell.fields, version.known)],
    ['request fields always at the default', chips(unseen)],
    ['answer fields other than the default', fieldsOf(api, cell.answers, version.known_answers)],
  ]);
}

function fieldsOf(api, seen, known) {
  if (!known.length && !seen.length) return '';
  return [count(seen.length) + (known.length ? ' of ' + count(known.length) : ''), chips(seen.map((field) => api.fields[field]))];
}

function exchangeList(api, version, cell, index, number) {
  const mine = version.exchanges.map((exchange, at) => [exchange, at + 1]).filter(([exchange]) => exchange.sides[index]);
  if (!mine.length) return make('p', {}, cell.exercised ? 'None of them was kept.' : 'Nothing was asked.');
  const said = count(mine.length) + ' of ' + count(cell.exercised, 'exchange') + ' kept: those whose request or error codes ' +
    'were new' + (TARGETS.length > 1 ? ', those that differ first.' : '.');
  const details = mine.map(([exchange, at], place) => exchangeDetails(api, version, exchange, at, number ? at === number : !place));
  const button = make('button', { type: 'button' }, 'Open all');
  button.addEventListener('click', () => details.forEach((one) => { one.open = true; }));
  return [make('p', { class: 'soft' }, said, ' ', button), details];
}
