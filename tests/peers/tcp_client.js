// Node's net as clients of an echo server, many at once.
//
// Usage: tcp_client.js PORT CLIENTS BYTES
//
// Each sends BYTES, ends its half and wants the same bytes back before the end.
'use strict';

const net = require('node:net');

const [port, clients, bytes] = process.argv.slice(2).map(Number);
const out = Buffer.alloc(bytes, 'the same back, please. ');
let open = clients;

for (let client = 0; client < clients; client += 1) {
  const back = [];
  const socket = net.connect({ host: '127.0.0.1', port }, () => socket.end(out));
  const local = new Promise((known) => socket.on('ready', () => known(socket.localPort)));
  socket.on('data', (piece) => back.push(piece));
  socket.on('end', async () => {
    const same = Buffer.concat(back).equals(out);
    const { bytesRead: received, bytesWritten: sent } = socket;
    console.log(JSON.stringify({ port: await local, sent, received, same }));
    open -= 1;
  });
}
process.on('exit', () => process.exit(open === 0 ? 0 : 1));
