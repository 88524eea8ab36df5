// Node's ws as a client of an echo server.
//
// Usage: ws_client.js URL WHAT [ORIGIN]
//
// WHAT: deflate, compressed or plain: every kind of message there and back, then a Close; with deflate it offers permessage-deflate to a
// server that is to decline it, with compressed to one that is to agree.
// wait: one message there and back, then it waits for the server to close. big BYTES: one message of that size.
// unmasked, bad-text: a frame that a client must not send. drop, reset: one message there and back, then the end of
// the stream, or a RST, without a Close.
// open: it connects, and closes at once; bare: likewise, by a Close without a code.
'use strict';

const assert = require('node:assert');
const WebSocket = require('ws');

const [url, what, argument] = process.argv.slice(2);
const options = { perMessageDeflate: what === 'deflate' || what === 'compressed', followRedirects: false };
if (what === 'open' && argument !== undefined) options.origin = argument;
const ws = new WebSocket(url, options);

const came = [];
const waiting = [];
const counts = { sent: 0, received: 0 };

function arrived(event) {
  const next = waiting.shift();
  if (next) next(event);
  else came.push(event);
}

function next(kind) {
  const event = came.length > 0 ? Promise.resolve(came.shift()) : new Promise((take) => waiting.push(take));
  return event.then((found) => {
    assert.strictEqual(found.kind, kind);
    return found.data;
  });
}

ws.on('message', (data, binary) => {
  counts.received += 1;
  arrived({ kind: binary ? 'binary' : 'text', data });
});
ws.on('pong', (data) => arrived({ kind: 'pong', data }));

async function there_and_back(data) {
  const kind = typeof data === 'string' ? 'text' : 'binary';
  ws.send(data);
  counts.sent += 1;
  assert.ok((await next(kind)).equals(Buffer.from(data)), `${kind} of ${data.length} came back changed`);
}

async function everything() {
  assert.strictEqual(ws.extensions, what === 'compressed' ? 'permessage-deflate' : '');
  assert.strictEqual(ws.protocol, '');
  const texts = ['hello', '', 'gr\u00fc\u00dfe \u{1f980} \0 \x7f', 'x'.repeat(125), 'x'.repeat(126), '\u20ac'.repeat(42)];
  for (const text of [...texts, 'y'.repeat(65535), 'z'.repeat(65536)]) await there_and_back(text);
  for (const size of [0, 1, 125, 126, 127, 65535, 65536]) await there_and_back(Buffer.alloc(size, 0xfe));
  // The euro sign is cut in the middle, and a ping goes between the fragments.
  const pieces = ['a fragment, \u20ac', ', the end'].map((piece) => Buffer.from(piece));
  ws.send(pieces[0].subarray(0, -1), { fin: false, binary: false });
  ws.ping('between');
  ws.send(pieces[0].subarray(-1), { fin: false });
  ws.send('', { fin: false });
  ws.send(pieces[1], { fin: true });
  counts.sent += 1;
  assert.strictEqual((await next('pong')).toString(), 'between');
  assert.strictEqual((await next('text')).toString(), 'a fragment, \u20ac, the end');
  for (const payload of ['', 'are you there?', 'p'.repeat(125)]) {
    ws.ping(payload);
    assert.strictEqual((await next('pong')).toString(), payload);
  }
  ws.close(4001, 'gr\u00fc\u00dfe');
}

ws.on('open', async () => {
  if (what === 'deflate' || what === 'compressed' || what === 'plain') return everything();
  if (what === 'open') return ws.close(1000);
  if (what === 'bare') return ws.close();
  if (what === 'big') {
    counts.sent += 1;
    return ws.send('b'.repeat(Number(argument)));
  }
  await there_and_back('hello');
  if (what === 'wait') console.log(JSON.stringify({ open: true }));
  if (what === 'drop') ws.terminate();
  if (what === 'reset') (await socket).resetAndDestroy();
  if (what === 'unmasked') ws.send('bare', { mask: false });
  if (what === 'bad-text') ws.send(Buffer.from([0xc3, 0x28]), { binary: false });
  return undefined;
});

const socket = new Promise((known) => ws.on('upgrade', (response) => known(response.socket)));
ws.on('unexpected-response', (request, response) => {
  console.log(JSON.stringify({ status: response.statusCode }));
  request.destroy();
});
ws.on('error', (error) => {
  if (ws.readyState === WebSocket.CLOSED || ws.readyState === WebSocket.CLOSING) return;
  throw error;
});
ws.on('close', async (code, reason) => {
  if (code === 1006 && !['drop', 'reset', 'open'].includes(what)) process.exitCode = 1;
  const { bytesRead, bytesWritten } = await socket;
  const end = { ...counts, code, reason: reason.toString(), bytes_read: bytesRead, bytes_written: bytesWritten };
  console.log(JSON.stringify(end));
});
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
