"""The websockets library as a client of an echo server: every kind of message there and back, then a Close.

Usage: websockets_client.py URL (deflate | compressed | plain)

With deflate it offers permessage-deflate to a server that is to decline it, with compressed to one that is to agree.
"""

import json
import sys

from websockets.sync.client import connect

TEXTS = [
    "hello",
    "",
    "gr\u00fc\u00dfe \U0001f980 \x00 \x7f",
    "x" * 125,
    "x" * 126,
    "\u20ac" * 42,
    "y" * 65535,
    "z" * 65536,
]
BINARIES = [b"", b"\x00", bytes(range(256)), b"\xff" * 125, b"\xfe" * 126, b"\x81" * 65535, b"\x7f" * 65536]
# The euro sign is cut in the middle: a fragment of a text need not be a text.
FRAGMENTS = [b"a fragment, \xe2\x82", b"\xac, ", b"", b"the end"]


def same(back, out):
    assert type(back) is type(out) and back == out, f"sent {out[:80]!r}, got back {back[:80]!r}"


def main(url, offer):
    count = 0
    compression = None if offer == "plain" else "deflate"
    with connect(url, compression=compression, ping_interval=None, max_size=None, proxy=None) as peer:
        assert peer.response.headers["Upgrade"].lower() == "websocket"
        assert ("Sec-WebSocket-Extensions" in peer.response.headers) == (offer == "compressed")
        assert peer.subprotocol is None
        for message in TEXTS + BINARIES:
            peer.send(message)
            same(peer.recv(20), message)
            count += 1
        peer.send(FRAGMENTS, text=True)
        same(peer.recv(20), b"".join(FRAGMENTS).decode())
        peer.send([b"\x00\x01", b"\x02", b"\x03" * 200])
        same(peer.recv(20), b"\x00\x01\x02" + b"\x03" * 200)
        count += 2
        # Many messages before the first is read: they share segments, and come back in their order.
        for number in range(50):
            peer.send(str(number))
        for number in range(50):
            same(peer.recv(20), str(number))
        count += 50
        for payload in [b"", b"are you there?", b"\xff" * 125]:
            assert peer.ping(payload).wait(20), f"no pong to {payload!r}"
        peer.close(4001, "gr\u00fc\u00dfe")
    told = peer.protocol.close_rcvd
    print(json.dumps({"sent": count, "received": count, "code": told.code, "reason": told.reason}))


main(*sys.argv[1:])
