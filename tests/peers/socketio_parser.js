// The library's own parsers, asked line by line: what do they make of these bytes?
//   {"body":HEX}                     an HTTP body of Engine.IO
//   {"packet":HEX,"attachments":[HEX]}  a packet of Socket.IO and the binary messages behind it
const { decodePayload } = require("engine.io-parser");
const { Decoder } = require("socket.io-parser");

// Bytes have no form in JSON of their own.
const told = (value) => {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("hex") };
  if (Array.isArray(value)) return value.map(told);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, told(member)]));
  }
  // Half a surrogate pair, which JSON.parse lets pass, is nothing that the asker could read.
  return typeof value === "string" ? value.toWellFormed() : value;
};

const body = (bytes) => {
  const packets = decodePayload(bytes.toString("utf8"), "nodebuffer");
  const bad = packets.find((packet) => packet.type === "error");
  return bad ? { error: bad.data } : { packets: told(packets) };
};

const packet = (bytes, attachments) => {
  const decoder = new Decoder();
  let decoded = null;
  decoder.on("decoded", (found) => (decoded = found));
  try {
    decoder.add(bytes.toString("utf8"));
    for (const attachment of attachments) decoder.add(Buffer.from(attachment, "hex"));
  } catch (error) {
    return { error: error.message };
  }
  return decoded === null ? { waiting: true } : { packet: told(decoded) };
};

const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const asked = JSON.parse(line);
  const answer = asked.body !== undefined
    ? body(Buffer.from(asked.body, "hex"))
    : packet(Buffer.from(asked.packet, "hex"), asked.attachments);
  process.stdout.write(JSON.stringify(answer) + "\n");
});
