// @stomp/stompjs as a client: it subscribes, sends and hears, and tells what happened.
//
// Usage: stomp_client.js URL WHAT [VERSION]
//
// WHAT: talk: messages there and back, with receipts, acknowledgements and a transaction, then DISCONNECT. wait: it stays, says each
// heart-beat that comes, and comes back after a cut. drop: one message, then the end without a goodbye. error: SEND to where nothing is.
'use strict';

const assert = require('node:assert');
const { Client, Versions } = require('@stomp/stompjs');

Object.assign(globalThis, { WebSocket: require('ws') });

const [url, what, version] = process.argv.slice(2);
const say = (event) => console.log(JSON.stringify(event));
const came = [];
const waiting = [];
let beats = 0;

const client = new Client({
  brokerURL: url,
  reconnectDelay: what === 'wait' ? 100 : 0,
  heartbeatIncoming: what === 'wait' ? 300 : 0,
  heartbeatOutgoing: what === 'wait' ? 300 : 0,
  debug: (text) => {
    if (text === '<<< PONG') say({ beat: (beats += 1) });
  },
});
if (version) client.stompVersions = new Versions([version]);

function arrived(message) {
  const next = waiting.shift();
  if (next) next(message);
  else came.push(message);
}
const next = () => (came.length > 0 ? Promise.resolve(came.shift()) : new Promise((take) => waiting.push(take)));

function receipt(id, act) {
  return new Promise((known) => {
    client.watchForReceipt(id, known);
    act({ receipt: id });
  });
}

async function talk() {
  const version = client.connectedVersion;
  // It escapes in 1.2 alone, though 1.1 has escapes too.
  const [destination, extra] = version === '1.2' ? ['/topic/a:b\\c', ': \\ '] : ['/topic/plain', ' x '];
  client.subscribe(destination, arrived, { ack: 'client-individual' });
  const texts = ['hello', '', 'gr\u00fc\u00dfe \u{1f980}', 'two\nlines', 'with a \0 in it', 'x'.repeat(70000)];
  for (const [index, body] of texts.entries()) {
    const frame = await receipt(`r${index}`, (headers) => client.publish({ destination, body, headers: { ...headers, n: `${index}${extra}` } }));
    assert.strictEqual(frame.command, 'RECEIPT');
    const message = await next();
    assert.strictEqual(message.body, body);
    // It trims values itself.
    assert.strictEqual(message.headers.n, `${index}${extra}`.trim());
    if (version !== '1.0') message.ack();
  }
  const binaryBody = new Uint8Array([0, 10, 13, 255, 0]);
  client.publish({ destination, binaryBody });
  assert.deepStrictEqual(new Uint8Array((await next()).binaryBody), binaryBody);
  const transaction = client.begin();
  client.publish({ destination, body: 'later', headers: { transaction: transaction.id } });
  client.publish({ destination, body: 'now' });
  assert.strictEqual((await next()).body, 'now');
  transaction.commit();
  assert.strictEqual((await next()).body, 'later');
  const aborted = client.begin();
  client.publish({ destination, body: 'never', headers: { transaction: aborted.id } });
  aborted.abort();
  client.publish({ destination, body: 'the end' });
  assert.strictEqual((await next()).body, 'the end');
  await client.deactivate();
  say({ done: texts.length, version });
}

client.onConnect = async (frame) => {
  say({ connected: frame.headers });
  if (what === 'talk') return talk();
  if (what === 'error') return client.publish({ destination: 'nowhere', body: 'x', headers: { receipt: 'r1' } });
  client.subscribe('/topic/chat', (message) => say({ heard: message.body }), { receipt: 's' });
  client.watchForReceipt('s', () => client.publish({ destination: '/topic/chat', body: 'hello' }));
  if (what === 'drop') client.watchForReceipt('s', () => process.exit(0));
  return undefined;
};
client.onStompError = (frame) => say({ error: frame.headers, body: frame.body });
client.onWebSocketClose = (event) => say({ closed: event.code, reason: event.reason });
client.activate();
process.stdin.on('end', () => client.deactivate().then(() => process.exit(0))).resume();
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
