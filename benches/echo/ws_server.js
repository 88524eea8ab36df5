// Node's ws as a plain echo server, without compression. It says what it is and where.
'use strict';

const { WebSocketServer } = require('ws');
const { version } = require('ws/package.json');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (peer) => {
  peer.on('message', (data, binary) => peer.send(data, { binary }));
  peer.on('error', () => {});
});
server.on('listening', () => console.log(`ws ${version}: ws://127.0.0.1:${server.address().port}/`));
