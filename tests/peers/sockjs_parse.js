// What SockJS's own libraries make of bytes. Each line of input is a kind and hex, each line of output what came of it.
//
// frame: a server's frame, taken by sockjs-client. body: what xhr_streaming sends, cut into frames by sockjs-client. send: the body of
// xhr_send, taken by sockjs-node. quote: a string as UTF-16BE, written by both. Strings come out as lists of their 16-bit units, as
// JSON itself can't carry every one of them from language to language.
'use strict';

const { EventEmitter } = require('node:events');
const readline = require('node:readline');
const SockJS = require('sockjs-client/lib/main')([]);
const XhrReceiver = require('sockjs-client/lib/transport/receiver/xhr');
const { quote } = require('sockjs-client/lib/utils/escape');
const transport = require('sockjs/lib/transport');
const xhr = require('sockjs/lib/trans-xhr').app;
const utils = require('sockjs/lib/utils');

const split = (value) => (typeof value === 'string' ? value.split('').map((c) => c.charCodeAt(0)) : { other: true });

function frame(text) {
  const said = { messages: [] };
  const client = Object.create(SockJS.prototype);
  client._open = () => { said.open = true; };
  client._close = (code, reason) => { said.close = [code, split(reason)]; };
  client.dispatchEvent = (event) => {
    if (event.type === 'heartbeat') said.heartbeat = true;
    else said.messages.push(split(event.data));
  };
  client._transportMessage(text);
  return said;
}

class Ajax extends EventEmitter {
  close() {}
}

function body(text) {
  let ajax;
  const receiver = new XhrReceiver('http://127.0.0.1/', function () {
    ajax = new Ajax();
    return ajax;
  });
  const frames = [];
  receiver.on('message', (message) => frames.push(split(message)));
  // In pieces, as an XMLHttpRequest tells of them: all that has come so far.
  for (let end = 1; end < text.length; end += 1 + (end % 7)) ajax.emit('chunk', 200, text.slice(0, end));
  ajax.emit('finish', 200, text);
  return { frames };
}

function send(text) {
  const session = new transport.Session('s', { options: {}, emit() {} });
  clearTimeout(session.to_tref);
  const said = { messages: [] };
  session.didMessage = (message) => said.messages.push(split(message));
  const response = { setHeader() {}, writeHead(status) { said.status = status; }, end() {} };
  try {
    xhr.xhr_send({ session: 's' }, response, text);
  } catch (thrown) {
    if (!thrown.status) throw thrown;
    Object.assign(said, thrown);
  }
  return said;
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [kind, hex = ''] = line.split(' ');
  const bytes = Buffer.from(hex, 'hex');
  let said;
  if (kind === 'quote') {
    const text = String.fromCharCode(...Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(2 * i)));
    said = { server: split(utils.quote(text)), client: split(quote(text)) };
  } else {
    said = { frame, body, send }[kind](bytes.toString());
  }
  console.log(JSON.stringify(said));
});
