
const NAMES = 50, AHEAD = 4;
const rows = new Map();
let skipped = 0, since = performance.now(), count = 0, asking = false;

const show = () => {};

/** The row of a name: its cells, the last number, and how many were passed over. */
function row(name) {
  if (!rows.has(name)) {
    if (rows.size >= NAMES) return null;
    const line = $('prices').insertRow();
    rows.set(name, { cells: [0, 1, 2, 3].map(() => line.insertCell()), price: null, sequence: null, skipped: 0 });
  }
  return rows.get(name);
}

function came(event) {
  let quote;
  try { quote = JSON.parse(event.data); } catch { return log('received', '?', String(event.data)); }
  const { name, price, sequence, at } = quote ?? {}, mine = row(String(name));
  if (!mine) return;
  // The first of a connection has nothing before it.
  const missed = mine.sequence === null ? 0 : Math.max(0, sequence - mine.sequence - 1) || 0;
  const way = mine.price === null || price === mine.price ? '' : price > mine.price ? ' ▲' : ' ▼';
  Object.assign(mine, { price, sequence, skipped: mine.skipped + missed });
  [name, Number(price).toFixed(2) + way, sequence, mine.skipped].forEach((value, index) => {
    mine.cells[index].textContent = value;
  });
  $('skipped').textContent = skipped += missed;
  $('age').textContent = Math.max(0, Date.now() - at);
  count += 1;
  // A tab with much to do: nothing else runs in it meanwhile.
  for (const end = performance.now() + Math.min(5000, $('busy').value); performance.now() < end;);
  rate();
  // It may be closing by now.
  if (asking && state() === 1) socket.send('1');
}

function rate() {
  const time = performance.now() - since;
  if (time < 1000) return;
  $('rate').textContent = Math.round(count * 1000 / time);
  [count, since] = [0, performance.now()];
}

function connect() {
  asking = $('asks').checked;
  rows.forEach(row => row.sequence = null);
  open(url + (asking ? '?ask' : ''), () => { if (asking) socket.send(String(AHEAD)); }, came);
}

$('connect').onclick = connect;
$('close').onclick = () => { if (state() < 2) socket?.close(1000); now(); };
$('pace').onsubmit = event => event.preventDefault();
setInterval(rate, 1000);
connect();
