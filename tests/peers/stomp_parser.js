// What @stomp/stompjs makes of frames: for each line of standard input, which is a stream of STOMP in hex, one line of JSON.
//
// raw: what its parser finds (command, headers as they are written, body in hex). frames: what a program that uses it sees, with
// headers trimmed and their values without escapes. again: each of those frames as the library itself writes it, in hex.
'use strict';

const { createInterface } = require('node:readline');
const { FrameImpl, Parser } = require('@stomp/stompjs');

const hex = (bytes) => Buffer.from(bytes).toString('hex');

createInterface({ input: process.stdin }).on('line', (line) => {
  const found = { raw: [], frames: [], again: [], beats: 0 };
  const parser = new Parser(
    (raw) => {
      const headers = raw.headers.map((header) => [...header]);
      found.raw.push({ command: raw.command, headers, body: hex(raw.binaryBody) });
      const frame = FrameImpl.fromRawFrame(raw, true);
      found.frames.push({ command: frame.command, headers: Object.entries(frame.headers), body: hex(frame.binaryBody) });
      const { command, binaryBody } = frame;
      const own = Object.fromEntries(Object.entries(frame.headers).filter(([name]) => name !== 'content-length'));
      const body = binaryBody.length > 0 ? { binaryBody } : {};
      const written = FrameImpl.marshall({ command, headers: own, ...body, escapeHeaderValues: true });
      found.again.push(hex(typeof written === 'string' ? Buffer.from(written) : new Uint8Array(written)));
    },
    () => {
      found.beats += 1;
    },
  );
  // Cut, so that its state between pieces is used.
  const bytes = Buffer.from(line, 'hex');
  const cut = Math.floor(bytes.length / 3);
  parser.parseChunk(bytes.subarray(0, cut));
  parser.parseChunk(bytes.subarray(cut));
  console.log(JSON.stringify(found));
});
