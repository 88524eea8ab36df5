// A news server on Node's http: what is posted to /news is kept by its number, and can be asked for by polls, long polls and events.
//
// Usage: news_server.js poll|long-poll|sse
//
// POST /cut breaks off all connections but its own. For each request and each end it says a line.
'use strict';

const http = require('node:http');

const kind = process.argv[2];
const say = (what) => console.log(JSON.stringify(what));
const news = [];
const waiting = new Set();
const sockets = new Set();

const behind = (after) => news.filter((one) => one.id > after);

function answer(response, after) {
  const list = JSON.stringify(behind(after));
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(list);
}

function tell(response, one) {
  response.write(`id: ${one.id}\r\nevent: message\r\n${one.data.split('\n').map((line) => `data: ${line}\r\n`).join('')}\r\n`);
}

function arrived(data) {
  news.push({ id: news.length + 1, data });
  for (const one of waiting) one();
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  say({ method: request.method, path: url.pathname, last: request.headers['last-event-id'] ?? null, client: url.searchParams.get('client') });
  if (request.method === 'POST') {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      if (url.pathname === '/cut') {
        for (const socket of sockets) if (socket !== request.socket) socket.resetAndDestroy();
      } else if (url.pathname === '/echo') {
        response.writeHead(200, { 'Content-Type': 'text/plain' });
        response.end(Buffer.concat(pieces));
        return;
      } else {
        arrived(Buffer.concat(pieces).toString());
      }
      response.writeHead(204);
      response.end();
    });
    return;
  }
  const after = Number(url.searchParams.get('after') ?? 0);
  if (kind === 'sse') {
    let last = Number(request.headers['last-event-id'] ?? news.length);
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    response.write('retry: 50\n\n: hello\n\n');
    const more = () => {
      for (const one of behind(last)) {
        tell(response, one);
        last = one.id;
      }
    };
    waiting.add(more);
    response.on('close', () => {
      waiting.delete(more);
      say({ closed: url.pathname });
    });
    more();
    return;
  }
  if (behind(after).length > 0) return answer(response, after);
  if (kind === 'poll') {
    response.writeHead(204);
    response.end();
    return undefined;
  }
  const more = () => {
    waiting.delete(more);
    if (!response.destroyed) answer(response, after);
  };
  waiting.add(more);
  response.on('close', () => waiting.delete(more));
  return undefined;
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', (broken) => {
    sockets.delete(socket);
    say({ end: broken ? 'broken' : 'closed' });
  });
});

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
