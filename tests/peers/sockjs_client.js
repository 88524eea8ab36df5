// sockjs-client: calls a URL by one transport, says texts, and tells in JSON lines what comes.
//
// A transport gets ten seconds, as a machine may be busy.
//
// Arguments: the URL, the transport, and the texts. Standard input: further texts, each a JSON string; a line "close" leaves.
'use strict';

const readline = require('node:readline');
const SockJS = require('sockjs-client');

const say = (what) => console.log(JSON.stringify(what));
const [url, transport, ...texts] = process.argv.slice(2);
const client = new SockJS(url, null, { transports: transport, timeout: 10000 });

client.onopen = () => {
  say({ open: client.transport });
  texts.forEach((text) => client.send(text));
};
client.onmessage = (event) => say({ message: event.data });
client.onheartbeat = () => say({ heartbeat: true });
client.onclose = (event) => {
  say({ close: event.code, reason: event.reason, clean: event.wasClean });
  process.exit(0);
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'close') client.close();
  else client.send(JSON.parse(line));
});
