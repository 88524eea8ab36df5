// npm's sockjs as a server: /echo sends each message back. "close me" closes the session with 3001, "cut me" cuts its connection.
//
// Arguments: heartbeat and session timeout in milliseconds, the limit of an answer in bytes, and "no" for no WebSocket.
'use strict';

const http = require('node:http');
const sockjs = require('sockjs');

const say = (what) => console.log(JSON.stringify(what));
const [beat, timeout, limit, websocket] = process.argv.slice(2);
const echo = sockjs.createServer({
  prefix: '/echo',
  heartbeat_delay: Number(beat),
  disconnect_delay: Number(timeout),
  response_limit: Number(limit),
  websocket: websocket !== 'no',
  log() {},
});

echo.on('connection', (connection) => {
  say({ open: connection.protocol });
  connection.on('data', (message) => {
    if (message === 'close me') return connection.close(3001, 'as you like');
    if (message === 'cut me') return cut(connection);
    return connection.write(message);
  });
  connection.on('close', () => say({ closed: connection.protocol }));
});

// Between two polls there is nothing to be cut.
function cut(connection) {
  const receiver = connection._session.recv;
  if (!receiver) return setTimeout(cut, 5, connection);
  return (receiver.connection || receiver.request.socket).destroy();
}

const server = http.createServer();
echo.installHandlers(server);
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
