// Node's net as a server of one caller: says what came, and how it ended.
//
// Usage: tcp_server.js [ANSWER]
//
// With ANSWER it is sent once the caller has ended its half, and only then is the connection closed.
'use strict';

const net = require('node:net');

const answer = process.argv[2] ?? '';
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  server.close();
  const came = [];
  const tell = (end) => console.log(JSON.stringify({ came: Buffer.concat(came).toString('latin1'), end }));
  socket.on('data', (piece) => came.push(piece));
  socket.on('end', () => {
    tell('fin');
    socket.end(answer);
  });
  socket.on('error', (error) => tell(error.code));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
