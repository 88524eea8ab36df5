// Node's http as a server of one connection after the other. At the end of each request it says what came.
//
// /length/COUNT: so many bytes, the length told in advance. /chunks/COUNT: likewise in chunks. /empty: 204. /echo: what was sent comes back,
// chunked or not as it came.
'use strict';

const crypto = require('node:crypto');
const http = require('node:http');

const say = (what) => console.log(JSON.stringify(what));
const bytes = (count) => Buffer.from(Array.from({ length: count }, (_, index) => (index * 7) % 251));

const server = http.createServer((request, response) => {
  const body = [];
  request.on('data', (piece) => body.push(piece));
  request.on('end', () => {
    const came = Buffer.concat(body);
    say({ method: request.method, url: request.url, sha256: crypto.createHash('sha256').update(came).digest('hex') });
    const [, what, count] = request.url.split('/');
    if (what === 'empty') return response.writeHead(204).end();
    if (what === 'length') return response.writeHead(200, { 'Content-Length': count }).end(bytes(Number(count)));
    if (what === 'chunks') {
      const all = bytes(Number(count));
      for (let start = 0; start < all.length; start += 10_000) response.write(all.subarray(start, start + 10_000));
      return response.end();
    }
    const length = request.headers['content-length'];
    if (length !== undefined) response.setHeader('Content-Length', length);
    response.write(came.subarray(0, 1));
    return response.end(came.subarray(1));
  });
});

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
