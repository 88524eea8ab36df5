// What the scripts for Socket.IO share: bytes in JSON are {"$bytes": hex}, and all is said in JSON, a line each.
'use strict';

const told = (value) => {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(told);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, told(member)]));
  }
  return value;
};

const meant = (value) => {
  if (Array.isArray(value)) return value.map(meant);
  if (value && typeof value === 'object') {
    if (typeof value.$bytes === 'string') return Buffer.from(value.$bytes, 'hex');
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, meant(member)]));
  }
  return value;
};

const say = (what) => console.log(JSON.stringify(told(what)));

module.exports = { meant, say };
