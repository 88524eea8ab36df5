// The package eventsource-parser as a judge: reads streams, one a line in JSON (pieces in base64), and says what it makes of each.
'use strict';

const { createParser } = require('eventsource-parser');
const readline = require('node:readline');

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const events = [];
  const parser = createParser({
    onEvent: ({ event, id, data }) => events.push({ event: event ?? null, id: id ?? null, data }),
    onRetry: (retry) => events.push({ retry }),
    onComment: (comment) => events.push({ comment }),
    onError: () => {},
  });
  const decoder = new TextDecoder('utf-8');
  for (const piece of JSON.parse(line)) parser.feed(decoder.decode(Buffer.from(piece, 'base64'), { stream: true }));
  console.log(JSON.stringify(events));
});
