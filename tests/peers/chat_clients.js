// Node's ws as a room full of people: all but one read, and speak in turn; the last one stops reading once it is there.
//
// Usage: chat_clients.js URL READERS BYTES
//
// One message of so many bytes is under way at a time: the next is said when all readers have it. A line of standard input: the last one
// reads again. When it is closed, all leave, and one line tells how it went.
'use strict';

const WebSocket = require('ws');

const [url, readers, bytes] = process.argv.slice(2);
const opened = (ws) => new Promise((open, fail) => ws.on('open', () => open(ws)).on('error', fail));
const connect = () => opened(new WebSocket(url));

async function main() {
  const here = await Promise.all(Array.from({ length: Number(readers) }, connect));
  const slow = await connect();
  slow._socket.pause();
  slow.on('error', () => {});
  let ended = null;
  slow.on('close', (code, reason) => { ended = { code, reason: reason.toString() }; });
  process.stdin.on('data', () => slow._socket.resume());

  const heard = here.map(() => []);
  let woken = null;
  here.forEach((ws, index) => ws.on('message', (data) => {
    heard[index].push(Number(data.toString('utf8', 0, 8)));
    if (heard.every((one) => one.length === heard[0].length)) woken?.();
  }));
  const padding = 'x'.repeat(Number(bytes) - 8);
  let slowest = 0, rounds = 0;
  while (ended === null) {
    const began = performance.now();
    const all = new Promise((wake) => { woken = wake; });
    here[rounds % here.length].send(String(rounds).padStart(8, '0') + padding);
    await all;
    rounds += 1;
    slowest = Math.max(slowest, performance.now() - began);
  }
  const inOrder = heard.every((one) => one.length === rounds && one.every((number, index) => number === index));
  const closed = Promise.all(here.map((ws) => new Promise((done) => ws.on('close', done))));
  here.forEach((ws) => ws.close(1000));
  console.log(JSON.stringify({ ended, rounds, inOrder, slowest, codes: await closed }));
  process.exit(0);
}

main();
