// Node's ws as a server. The path says what it does; at the end of each connection it says what happened.
//
// /echo: every message comes back. /goodbye: the first message is answered by Close 4001. /ping: pings, and echoes once the pong is
// there. /fragments: one text in four frames with a ping between them, then echoes. /drop: the first message is answered by the end of
// the stream, without a Close. /masked, /bad-text: the first message is answered by a frame that a server must not send.
// /refuse/STATUS: no WebSocket, but this answer. With ?plain behind the path permessage-deflate is declined.
'use strict';

const http = require('node:http');
const { WebSocketServer } = require('ws');

const say = (what) => console.log(JSON.stringify(what));
const server = http.createServer();
const [deflating, plain] = [true, false].map((perMessageDeflate) => new WebSocketServer({ noServer: true, perMessageDeflate }));

server.on('upgrade', (request, socket, head) => {
  const refusal = request.url.match(/^\/refuse\/(\d+)$/);
  if (refusal) {
    const status = Number(refusal[1]);
    const lines = [`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`, 'Content-Length: 9', 'Connection: close'];
    socket.end(`${lines.join('\r\n')}\r\n\r\nnot here\n`);
    return;
  }
  const sockets = request.url.endsWith('?plain') ? plain : deflating;
  sockets.handleUpgrade(request, socket, head, (ws) => talk(ws, request, socket));
});

function talk(ws, request, socket) {
  const [path] = request.url.split('?');
  const counts = { received: 0, sent: 0 };
  ws.on('message', (data, binary) => {
    counts.received += 1;
    if (path === '/goodbye') return ws.close(4001, 'gr\u00fc\u00dfe');
    if (path === '/drop') return socket.end();
    if (path === '/masked') return ws.send('dressed up', { mask: true });
    if (path === '/bad-text') return ws.send(Buffer.from([0xc3, 0x28]), { binary: false });
    counts.sent += 1;
    return ws.send(data, { binary });
  });
  ws.on('pong', (data) => say({ pong: data.toString() }));
  if (path === '/ping') ws.ping('are you there?');
  if (path === '/fragments') {
    // The euro sign is cut in the middle.
    ws.send(Buffer.from([0x61, 0x20, 0xe2]), { fin: false, binary: false });
    ws.ping('between');
    ws.send(Buffer.from([0x82, 0xac]), { fin: false });
    ws.send('', { fin: false });
    ws.send(', the end', { fin: true });
    counts.sent += 1;
  }
  ws.on('error', () => {});
  ws.on('close', (code, reason) => {
    const { bytesRead, bytesWritten } = socket;
    const { origin = null, host } = request.headers;
    say({ ...counts, code, reason: reason.toString(), origin, host, bytes_read: bytesRead, bytes_written: bytesWritten });
  });
}

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
