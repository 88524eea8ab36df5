
/** The head of a frame with so many bytes, in hex: FIN and text, MASK and length (RFC 6455 §5.2). A page never sees one. */
function head(length, masked) {
  const pair = number => number.toString(16).padStart(2, '0'), mask = masked ? 0x80 : 0;
  if (length < 126) return '81 ' + pair(mask | length);
  const digits = length.toString(16).padStart(length < 65536 ? 4 : 16, '0');
  return ['81', pair(mask | (length < 65536 ? 126 : 127)), ...digits.match(/../g)].join(' ');
}

const words = () => ($('name').value.trim().replaceAll(':', '') || 'somebody') + ': ' + $('text').value;

function show(state) {
  can('send', state === 1);
}

function preview() {
  const length = utf8(words()).length;
  $('bytes').textContent = `its frame: ${head(length, true)}, 4 bytes of masking key, ${plural(length, 'byte')} masked`;
}

function came(event) {
  if (typeof event.data !== 'string') return log('received', '', plural(event.data.byteLength, 'byte') + ', binary');
  const [, name, text] = /^([^:\n]{1,30}): (.*)$/s.exec(event.data) || ['', '', '', event.data];
  log('received', name, name ? text : event.data, `frame ${head(utf8(event.data).length, false)} …`);
}

const connect = () => open(url, () => {}, came);
$('connect').onclick = connect;
$('close').onclick = () => { if (state() < 2) socket?.close(1000); now(); };
$('name').oninput = $('text').oninput = preview;
$('message').onsubmit = event => {
  event.preventDefault();
  if (state() !== 1 || !$('text').value) return;
  socket.send(words());
  $('text').value = '';
  preview();
};
$('name').value = 'tab ' + (100 + Math.floor(Math.random() * 900));
preview();
connect();
