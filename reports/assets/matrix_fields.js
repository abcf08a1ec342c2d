// An exchange: the request in words and fields, the targets' answers side by side, what differs marked.

const SHOWN_FIELDS = 60;
const SHOWN_ALIKE = 20; // of an exchange in which others differ
const SHORT = 200; // characters of what one target lacks, so that it takes one line

// [{path, said: a text for each side, differs}] for every leaf of what several targets sent or answered. A side that
// is not there is undefined. Elements that have names are matched by name where the targets do not list the same ones.
function comparedFields(sides) {
  const found = [];
  const there = sides.map((side) => side !== undefined);
  walk('', sides, there, found);
  return found;
}

const MISSING = Symbol('missing');

function walk(path, sides, there, found) {
  const present = sides.filter((side, index) => there[index] && side !== MISSING);
  const inner = (name, part) => walk(name, sides.map((side) => (isBranch(side) && part(side) !== undefined ? part(side) : MISSING)), there, found);
  const isPartly = present.length < there.filter(Boolean).length;
  if (isPartly && present.every((side) => JSON.stringify(side).length <= SHORT)) {
    leaf(path, sides, there, found);
  } else if (present.every((side) => Array.isArray(side) && side.some(isBranch))) {
    const keys = present.map(keysOf);
    if (keys.every(Boolean) && keys.some((one) => String(one) !== String(keys[0]))) {
      for (const key of new Set(keys.flat())) inner(path + '[' + key + ']', (side) => side[keysOf(side).indexOf(key)]);
    } else {
      const length = Math.max(...present.map((side) => side.length));
      for (let index = 0; index < length; index += 1) inner(path + '[' + index + ']', (side) => side[index]);
    }
  } else if (present.every((side) => isBranch(side) && !Array.isArray(side) && Object.keys(side).length)) {
    for (const name of new Set(present.flatMap(Object.keys))) inner(path ? path + '.' + name : name, (side) => side[name]);
  } else leaf(path, sides, there, found);
}

function leaf(path, sides, there, found) {
  const said = sides.map((side, index) => (there[index] ? readable(path, side) : ''));
  const compared = said.filter((_, index) => there[index]);
  found.push({ path, said, differs: compared.some((one) => one !== compared[0]) });
}

// What names the elements of an array: their `name`, or the API of their `api_key`; null where some have neither.
function keysOf(elements) {
  const keys = elements.map((one) => (!isBranch(one) ? null : typeof one.name === 'string' ? one.name
    : typeof one.api_key === 'number' ? API_NAMES.get(one.api_key) || 'key ' + one.api_key : null));
  return keys.includes(null) || new Set(keys).size < keys.length ? null : keys;
}

function isBranch(value) {
  return typeof value === 'object' && value !== null && !(Object.keys(value).length === 1 && '' in value);
}

function readable(path, value) {
  if (value === MISSING) return '(missing)';
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return '[' + value.map((one) => readable(path, one)).join(', ') + ']';
  if (isBranch(value)) return JSON.stringify(value).replace(/":/g, '": ').replace(/,"/g, ', "');
  if (typeof value === 'object') return value[''];
  if (typeof value === 'string') return '"' + value + '"';
  return typeof value === 'number' && path.endsWith('error_code') ? codeName(value) : String(value);
}

function answersOf(exchange) {
  const sides = exchange.sides.map((side) => (side ? DATA.values[side.answer] : undefined));
  const whole = (name) => ({
    path: '(' + name + ')',
    said: exchange.sides.map((side) => (side ? side[name] : '')),
    differs: new Set(exchange.sides.filter(Boolean).map((side) => side[name])).size > 1,
  });
  const isSilent = sides.every((side) => side === undefined || side === null);
  return [whole('outcome'), whole('pace'), ...(isSilent ? [] : comparedFields(sides))];
}

function fieldTable(caption, first, exchange, fields) {
  const heads = [first, ...TARGETS];
  const rows = fields.map((field) => rowOf(heads, [
    [field.differs ? make('span', { class: 'mark' }, '≠', make('span', { class: 'unseen' }, ' differs: ')) : '',
      pathCode(field.path || '(all)')],
    ...field.said.map((said, index) => (exchange.sides[index] ? make('code', {}, said) : make('span', { class: 'soft' }, 'not kept'))),
  ], field.differs ? 'differing' : null));
  const made = table('fields', caption, heads, []);
  made.tBodies[0].append(...rows);
  return folded(made, rows, fields);
}

// A long table shows its first fields and all that differ; a button shows the others.
function folded(made, rows, fields) {
  const most = fields.some((field) => field.differs) ? SHOWN_ALIKE : SHOWN_FIELDS;
  return withButton(made, rows.filter((row, index) => index >= most && !fields[index].differs), 'field');
}

// Hides some rows of a table behind a button.
function withButton(made, more, noun) {
  if (!more.length) return made;
  more.forEach((row) => { row.hidden = true; });
  const button = make('button', { type: 'button' }, 'Show ' + count(more.length, 'more ' + noun));
  button.addEventListener('click', () => {
    more.forEach((row) => { row.hidden = false; });
    button.remove();
  });
  return [made, button];
}

function sentTable(exchange) {
  const sides = exchange.sides.filter(Boolean);
  const fields = comparedFields(exchange.sides.map((side) => (side ? DATA.values[side.sent] : undefined)));
  if (sides.some((side) => side.sent !== sides[0].sent)) return fieldTable('What was sent', 'Sent field', exchange, fields);
  const first = exchange.sides.indexOf(sides[0]);
  const said = fields.filter((field) => field.path);
  if (!said.length) return make('p', { class: 'soft' }, 'The request has no fields, or is not kept field by field.');
  const made = table('fields sent', 'What was sent', ['Sent field', 'value'], said.map((field) =>
    [pathCode(field.path), make('code', {}, field.said[first])]));
  return folded(made, [...made.tBodies[0].rows], said);
}

function outcomeWords(side) {
  if (side.outcome !== 'answered') return side.outcome;
  const codes = new Set();
  (function look(value) {
    if (!isBranch(value)) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name.endsWith('error_code') && typeof inner === 'number') codes.add(inner);
      else look(inner);
    }
  })(DATA.values[side.answer]);
  return codes.size ? [...codes].sort((one, other) => one - other).map(codeName).join(', ') : 'answered';
}

function differencesOf(api, version, exchange) {
  return api.differences.filter((one) => one.version === version && one.check === exchange.check &&
    one.exchange === exchange.request);
}

// One exchange that opens on demand; filled when it is first opened.
function exchangeDetails(api, version, exchange, number, isOpen) {
  const differs = answersOf(exchange).some((field) => field.differs);
  const words = exchange.sides.map((side, index) => side && TARGETS[index] + ': ' + outcomeWords(side)).filter(Boolean);
  const alike = new Set(exchange.sides.filter(Boolean).map(outcomeWords));
  const summary = make('summary', {}, make('span', { class: 'name' }, number + '. ' + exchange.request),
    differs ? badge('differs', '≠', 'answers differ') : '',
    make('span', { class: 'soft' }, words.length > 1 && alike.size === 1 ? 'each: ' + [...alike][0] : words.join(' · ')));
  const made = make('details', { class: 'check exchange', id: 'exchange-' + number, open: isOpen }, summary);
  const fill = () => {
    if (made.children.length === 1) made.append(exchangeBody(api, version, exchange));
  };
  made.addEventListener('toggle', fill);
  if (isOpen) fill();
  return made;
}

function exchangeBody(api, version, exchange) {
  const [rerun, anchor] = DATA.checks[exchange.check] || ['', ''];
  const found = differencesOf(api, version, exchange);
  return make('div', { class: 'inside' },
    make('h4', {}, 'Request'), sentTable(exchange),
    make('h4', {}, 'Answers'), fieldTable('The answers side by side', 'Answered field', exchange, answersOf(exchange)),
    found.length ? [make('h4', {}, 'Differences'), make('ul', {}, found.map((one) => make('li', {}, standing(one), ' ',
      make('code', {}, one.field), one.accepted_by ? ': accepted by ' + one.accepted_by : '')))] : '',
    make('h4', {}, 'Run it again'), facts([['check', anchor ? link('index.html#' + encodeURIComponent(anchor), exchange.check)
      : make('code', {}, exchange.check)]]), command(rerun));
}
