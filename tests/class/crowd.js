// A crowd at a WebSocket echo server: clients that keep the rules, and three kinds that do not.
//
// Usage: crowd.js PORT MESSAGES ORDERLY HANGING_UP WRONG TOO_LARGE DEAF NOISY
//
// orderly: ws, so many messages one after the other, each held against its echo, then Close 1000.
// hanging up: ws, half as many messages, then the connection is dropped without a Close.
// wrong: the handshake by hand, then a frame that breaks a rule; too large: one that is larger than any server takes.
// deaf: the handshake and all messages by hand, without ever reading; dropped when standard input says `drop`.
// noisy: bytes at random in place of a request.
//
// When all are connected and those with a handshake have it, it says so, with the numbers and ports of the deaf, and waits for the line `go`.
// Then it tells of each client what it counted, in a line of JSON. A line `{"messages": N}` comes every second besides.
'use strict';

const crypto = require('node:crypto');
const net = require('node:net');
const readline = require('node:readline');
const WebSocket = require('ws');

const [port, messages, ...sizes] = process.argv.slice(2).map(Number);
const [orderly, hangingUp, wrong, tooLarge, deaf, noisy] = sizes;
const HOST = '127.0.0.1';
let total = 0;

const say = (what) => console.log(JSON.stringify(what));
const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function heard(word) {
  const line = await input.next();
  if (line.value !== word) throw new Error(`expected ${word}, heard ${line.value}`);
}

// A message of one client and no other: with its number and the message's own.
const text = (client, n) => `${client.number}:${n}`;

function frame(first, payload, mask = crypto.randomBytes(4)) {
  if (payload.length > 125) throw new Error('too long for a short frame');
  const masked = payload.map((byte, at) => byte ^ mask[at % 4]);
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, masked]);
}

// What is known of a client at its end.
function tell(client, socket) {
  const { kind, number, port: its, sent, received, bad, code } = client;
  const bytes = { bytes_read: socket.bytesRead, bytes_written: socket.bytesWritten };
  say({ kind, number, port: its, sent, received, bad, code, ...bytes });
}

// A client of ws. `count` messages, and then `over`.
function polite(kind, number, count, over) {
  const client = { kind, number, sent: 0, received: 0, bad: 0, code: null };
  const ws = new WebSocket(`ws://${HOST}:${port}/`, { perMessageDeflate: false });
  let socket;
  ws.on('upgrade', (response) => {
    socket = response.socket;
    client.port = socket.localPort;
  });
  client.ready = new Promise((ready, failed) => {
    ws.on('open', ready);
    ws.on('error', failed);
  });
  const next = () => {
    ws.send(text(client, client.sent));
    client.sent += 1;
  };
  ws.on('message', (data, binary) => {
    if (binary || data.toString() !== text(client, client.received)) client.bad += 1;
    client.received += 1;
    total += 1;
    if (client.received < count) next();
    else over(ws);
  });
  client.go = () => new Promise((ended) => {
    ws.on('close', (code) => {
      client.code = code;
      tell(client, socket);
      ended();
    });
    next();
  });
  return client;
}

// A connection by hand.
function raw(kind, number) {
  const client = { kind, number, sent: 0, received: 0, bad: 0, code: null };
  client.socket = net.connect(port, HOST);
  client.socket.setNoDelay(true);
  client.connected = new Promise((ready, failed) => {
    client.socket.once('connect', () => {
      client.port = client.socket.localPort;
      ready();
    });
    client.socket.once('error', failed);
  });
  client.connected.then(() => client.socket.on('error', () => {}));
  return client;
}

const request = () => `GET / HTTP/1.1\r\nHost: ${HOST}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
  + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n\r\n`;

function silent(number) {
  const client = raw('deaf', number);
  client.socket.pause();
  client.ready = client.connected.then(() => new Promise((written) => client.socket.write(request(), written)));
  client.go = () => new Promise((written) => {
    const frames = [];
    for (; client.sent < messages; client.sent += 1) frames.push(frame(0x81, Buffer.from(text(client, client.sent))));
    client.socket.write(Buffer.concat(frames), written);
  });
  client.drop = () => {
    const counts = client.socket.bytesWritten;
    client.socket.destroy();
    tell(client, { bytesRead: client.socket.bytesRead, bytesWritten: counts });
  };
  return client;
}

// Reads all until the end, and gives it.
function all(socket) {
  const pieces = [];
  socket.on('data', (piece) => pieces.push(piece));
  return new Promise((ended) => socket.on('close', () => ended(Buffer.concat(pieces))));
}

function noise(number) {
  const client = raw('noisy', number);
  client.ready = client.connected;
  client.go = async () => {
    const answer = all(client.socket);
    const noise = crypto.randomBytes(3000);
    // By chance it could begin like a request, and its server would wait for the rest.
    noise[0] |= 0x80;
    client.socket.write(noise);
    const status = (await answer).toString('latin1').match(/^HTTP\/1\.1 (\d+) /);
    client.code = status && Number(status[1]);
    tell(client, client.socket);
  };
  return client;
}

// The first frame breaks a rule, and the Close has a code for it; what follows is not to be looked at any more.
const WRONG = [
  [1002, () => frame(0x83, Buffer.from('opcode 3'))],
  [1002, () => frame(0xc1, Buffer.from('RSV1'))],
  [1002, () => Buffer.concat([Buffer.from([0x81, 8]), Buffer.from('unmasked')])],
  [1007, () => frame(0x81, Buffer.from([0xc3, 0x28]))],
];

const TOO_LARGE = [
  [1009, () => Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0]), crypto.randomBytes(4)])],
  [1009, () => Buffer.concat([Buffer.from([0x81, 0xff, 0x7f, ...Array(7).fill(0xff)]), crypto.randomBytes(4)])],
];

function breaking(kind, faults, number) {
  const client = raw(kind, number);
  const [code, make] = faults[number % faults.length];
  let had = Buffer.alloc(0);
  const head = (piece) => {
    had = Buffer.concat([had, piece]);
    if (had.includes('\r\n\r\n')) client.upgraded();
  };
  client.ready = client.connected.then(() => new Promise((upgraded) => {
    client.upgraded = upgraded;
    client.socket.on('data', head);
    client.socket.write(request());
  }));
  client.go = async () => {
    client.socket.off('data', head);
    const answer = all(client.socket);
    client.socket.write(Buffer.concat([make(), crypto.randomBytes(200)]));
    const close = await answer;
    // A Close that is not masked, with a code and no reason.
    const good = close.length === 4 && close[0] === 0x88 && close[1] === 2;
    client.code = good ? close.readUInt16BE(2) : null;
    client.bad = client.code === code ? 0 : 1;
    tell(client, client.socket);
  };
  return client;
}

async function main() {
  let number = 0;
  const some = (count, make) => Array.from({ length: count }, () => make(number++));
  const began = performance.now();
  const clients = [
    ...some(orderly, (n) => polite('orderly', n, messages, (ws) => ws.close(1000, 'done'))),
    ...some(hangingUp, (n) => polite('hanging up', n, Math.floor(messages / 2), (ws) => ws.terminate())),
    ...some(wrong, (n) => breaking('wrong', WRONG, n)),
    ...some(tooLarge, (n) => breaking('too large', TOO_LARGE, n)),
  ];
  const unheard = some(deaf, silent);
  await Promise.all([...clients, ...unheard].map((client) => client.ready));
  // A server waits only so long for a request: they come last.
  clients.push(...some(noisy, noise));
  await Promise.all(clients.map((client) => client.ready));
  say({ connected: number, ms: performance.now() - began, deaf: unheard.map((client) => [client.number, client.port]) });
  await heard('go');
  const started = performance.now();
  const clock = setInterval(() => say({ messages: total }), 1000);
  const written = Promise.all(unheard.map((client) => client.go()));
  await Promise.all(clients.map((client) => client.go()));
  await written;
  clearInterval(clock);
  say({ through: performance.now() - started });
  await heard('drop');
  unheard.forEach((client) => client.drop());
  say({ done: number });
  process.exit(0);
}

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
main();
