'use strict';
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const LINES = 500, SHOWN = 2000;
const OWN = 'This number is the browser\'s own and never sent.';
const CODES = {
  1000: 'Normal: what was wanted is done.',
  1001: 'Going away: the server ends, or the page is left.',
  1002: 'Protocol error: a frame broke a rule.',
  1003: 'Unsupported data: a kind of message that is not wanted here.',
  1005: 'No code came in the Close frame. ' + OWN,
  1006: 'No Close frame came. ' + OWN,
  1007: 'Invalid payload data: text that is not UTF-8.',
  1008: 'Policy violation.',
  1009: 'Message too big.',
  1011: 'Internal error of the server.',
};

const $ = id => document.getElementById(id);
const url = location.protocol.replace('http', 'ws') + '//' + location.host + '/';
let socket = null, follow = true;
const NONE = -1, state = () => socket ? socket.readyState : NONE;

/** The log stays at its end, unless somebody has scrolled up to read. */
const toEnd = () => { if (follow) $('log').scrollTop = $('log').scrollHeight; };

/** A line of the log. All that came from elsewhere goes in as text, never as HTML. */
function log(way, word, what, note) {
  const box = $('log'), line = document.createElement('p');
  const add = (place, tag, name, text = '') => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    place.append(element);
    return element;
  };
  line.dataset.way = way;
  line.dataset.word = word;
  const arrow = add(line, 'span', 'way', { sent: '→', received: '←', here: '·' }[way]);
  if (way !== 'here') { arrow.setAttribute('role', 'img'); arrow.setAttribute('aria-label', way); }
  add(line, 'span', 'word', word);
  const told = add(line, 'span', 'told');
  add(told, 'span', 'what', what.length > SHOWN ? what.slice(0, SHOWN) + ' …' : what);
  if (note) add(told, 'small', 'note', ' ' + note);
  box.append(line);
  if (box.childElementCount > LINES) box.firstElementChild.remove();
  toEnd();
}

const plural = (count, word) => count + ' ' + word + (count === 1 ? '' : 's');
const utf8 = text => new TextEncoder().encode(text);

/** A button that does nothing now keeps its place in the order of the Tab key. */
const can = (id, yes) => $(id).setAttribute('aria-disabled', !yes);

/** Opens a socket, whose state and end are told; `show` of each page says which of its buttons make sense then. */
function open(url, opened, came) {
  if (state() !== NONE && state() !== 3) return;
  socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  log('here', 'new', url);
  socket.onopen = () => {
    log('here', 'open', 'The upgrade is done.',
      'subprotocol: ' + (socket.protocol || 'none') + ', extensions: ' + (socket.extensions || 'none'));
    opened();
    now();
  };
  socket.onmessage = came;
  socket.onerror = () => {
    log('here', 'error', 'The browser does not tell a page why.', 'If the server refused, its terminal can say why.');
    now();
  };
  socket.onclose = event => {
    const own = event.code >= 3000 && event.code < 5000;
    log('here', 'closed', `code ${event.code}, reason "${event.reason}", wasClean ${event.wasClean}`,
      own ? 'A code of the application\'s own.' : CODES[event.code]);
    now();
  };
  now();
}

/** Shows the state. */
function now() {
  [...$('state').children].forEach((item, index) => {
    if (index === state()) item.setAttribute('aria-current', 'step'); else item.removeAttribute('aria-current');
  });
  can('connect', state() === NONE || state() === 3);
  can('close', state() === 0 || state() === 1);
  show(state());
}

STATES.forEach((name, value) => {
  const item = document.createElement('li'), number = document.createElement('b');
  number.textContent = value;
  item.append(number, name);
  $('state').append(item);
});
$('log').onscroll = event => {
  const { scrollTop, clientHeight, scrollHeight } = event.target;
  follow = scrollTop + clientHeight > scrollHeight - 40;
};
onresize = toEnd;
