
const RULE = 'A page may close with 1000 or 3000 to 4999, and a reason of up to 123 bytes.';
const hex = bytes => Array.from(bytes.subarray(0, SHOWN), byte => byte.toString(16).padStart(2, '0')).join(' ');
/** Pairs of hex digits with spaces between are bytes. All else is text, as UTF-8. */
const isHex = text => /^\s*[0-9a-f]{2}(\s+[0-9a-f]{2})*\s*$/i.test(text);
const bytesOf = text => isHex(text) ? Uint8Array.from(text.trim().split(/\s+/), pair => parseInt(pair, 16)) : utf8(text);

function show(state) {
  can('send', state === 1);
  can('binary', state === 1);
}

function preview() {
  const text = $('text').value, bytes = bytesOf(text);
  const shown = hex(bytes.subarray(0, 16)) + (bytes.length > 16 ? ' …' : '');
  $('bytes').textContent = plural(bytes.length, 'byte') + (isHex(text) ? ' as binary: ' : ' of UTF-8: ') + shown;
}

function came(event) {
  if (typeof event.data === 'string') return log('received', 'text', event.data, plural(utf8(event.data).length, 'byte'));
  const bytes = new Uint8Array(event.data);
  log('received', 'binary', hex(bytes), plural(bytes.length, 'byte'));
}

function send(kind, data, what, size) {
  if (state() !== 1) return now();
  socket.send(data);
  log('sent', kind, what, plural(size, 'byte'));
}

function close() {
  if (state() !== 0 && state() !== 1) return now();
  const code = $('close-code').value.trim(), reason = $('close-reason').value;
  // A reason needs a code before it.
  const values = code || reason ? [Number(code || 1000), reason] : [];
  const opening = state() === 0;
  try {
    socket.close(...values);
  } catch (error) {
    return log('here', 'error', error.name + ': ' + error.message, RULE);
  }
  if (opening) log('here', 'close', 'Given up before the upgrade was done: no Close frame is sent.');
  else log('sent', 'close', values.length ? `code ${values[0]}, reason "${reason}"` : 'without a code');
  now();
}

$('call').textContent = `new WebSocket("${url}")`;
$('connect').onclick = () => open(url, () => {}, came);
$('text').oninput = preview;
$('message').onsubmit = event => {
  event.preventDefault();
  const text = $('text').value;
  send('text', text, text, utf8(text).length);
};
$('binary').onclick = () => {
  const bytes = bytesOf($('text').value);
  send('binary', bytes, hex(bytes), bytes.length);
};
$('ending').onsubmit = event => { event.preventDefault(); close(); };
preview();
now();
