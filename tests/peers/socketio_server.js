// socket.io as a server: `node socketio_server.js OPTIONS`, with the options of its constructor as JSON.
//
// Every event comes back under its name with its arguments; whoever asks for an acknowledgement gets the arguments too. The event `tell`
// asks for one itself. `put-out` puts the client out of the namespace, `cut` ends its TCP connection. There are the namespaces /, /chat
// and /secret, which wants {"token":"123"}. A line of standard input ends the server.
'use strict';

const http = require('node:http');
const { Server } = require('socket.io');
const { say } = require('./socketio_common.js');

const server = http.createServer();
const sockets = new Set();
server.on('connection', (socket) => sockets.add(socket).size);
const io = new Server(server, JSON.parse(process.argv[2] ?? '{}'));

const serve = (socket) => {
  const transport = () => socket.conn.transport.name;
  say({ joined: socket.nsp.name, transport: transport(), auth: socket.handshake.auth });
  socket.conn.on('upgrade', (to) => say({ upgraded: to.name }));
  socket.onAny((name, ...all) => {
    const ack = typeof all.at(-1) === 'function' ? all.pop() : null;
    say({ heard: [name, ...all], transport: transport(), ack: ack !== null });
    if (ack) ack(...all);
    if (name === 'cut') return sockets.forEach((one) => one.destroy());
    if (name === 'put-out') return socket.disconnect();
    if (name === 'tell') return socket.emit('msg', 'told', (...answer) => say({ acknowledged: answer }));
    socket.emit(name, ...all);
  });
  socket.on('disconnect', (why) => say({ left: socket.nsp.name, why }));
};

io.of('/secret').use((socket, next) => {
  next(socket.handshake.auth.token === '123' ? undefined : new Error('not authorized'));
});
for (const name of ['/', '/chat', '/secret']) io.of(name).on('connection', serve);
io.engine.on('connection_error', ({ code, message }) => say({ refused: code, message }));
io.engine.on('connection', (engine) => {
  engine.on('packetCreate', (packet) => packet.type === 'ping' && say({ pinged: true }));
  engine.on('packet', (packet) => packet.type === 'pong' && say({ ponged: true }));
  engine.on('close', (why) => say({ closed: why }));
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
process.stdin.once('data', () => io.close(() => process.exit(0)));
