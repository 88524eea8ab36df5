// socket.io-client: `node socketio_client.js URL OPTIONS`, with the options of io() as JSON. It does what lines of JSON on standard input say:
//   {"emit":[NAME,…]}  {"ask":[NAME,…]} with an acknowledgement  {"leave":true}  {"cut":true} its WebSocket, without a goodbye
// and says what happens. Its end of input ends it.
'use strict';

const { io } = require('socket.io-client');
const { meant, say } = require('./socketio_common.js');

const socket = io(process.argv[2], JSON.parse(process.argv[3] ?? '{}'));
const engine = () => socket.io.engine;
const watch = () => {
  engine().on('upgrade', (to) => say({ upgraded: to.name }));
  engine().on('packet', (packet) => packet.type === 'ping' && say({ pinged: true }));
};
socket.io.on('open', watch);
socket.on('connect', () => say({ connect: socket.id, transport: engine().transport.name }));
socket.on('connect_error', (error) => say({ refused: error.message }));
socket.on('disconnect', (why) => say({ left: why }));
socket.onAny((...all) => say({ heard: all, transport: engine().transport.name }));

require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { emit, ask, leave, cut } = JSON.parse(line);
  if (emit) socket.emit(...meant(emit));
  if (ask) socket.emit(...meant(ask), (...answer) => say({ acknowledged: answer }));
  if (leave) socket.disconnect();
  if (cut) engine().transport.ws.terminate();
}).on('close', () => process.exit(0));
