// The package eventsource as a client: what a browser's EventSource does, in Node.
//
// Usage: eventsource_client.js URL
//
// Says a line for each opening, event and error, and ends when an event says "the end".
'use strict';

const { EventSource } = require('eventsource');

const say = (what) => console.log(JSON.stringify(what));
const source = new EventSource(process.argv[2]);
source.onopen = () => say({ open: true });
source.onerror = (error) => say({ error: error.message ?? null, state: source.readyState, code: error.code ?? null });
source.onmessage = (event) => {
  say({ data: event.data, id: event.lastEventId });
  if (event.data === 'the end') {
    source.close();
    say({ closed: true });
  }
};
