"""A server that answers the opening handshake, or what follows it, with bytes of our choice.

Usage: raw_server.py CASE

It says what the client sent after its request, in hex, and how that ended.
"""

import base64
import errno
import hashlib
import json
import re
import socket
import sys

GOOD = {"status": "HTTP/1.1 101 Switching Protocols", "upgrade": "websocket", "connection": "Upgrade"}
TEXT = bytes.fromhex("81026869")  # "hi"
CLOSE = bytes.fromhex("880203e8")

# What is said instead of a good answer, and the bytes behind it. Of a head "pieces" is the size of the writes.
CASES = {
    "good": ({}, TEXT + CLOSE),
    "frame-in-pieces": ({"pieces": 7}, TEXT + CLOSE),
    "continue-first": ({"before": "HTTP/1.1 100 Continue\r\n\r\n"}, TEXT + CLOSE),
    "wrong-accept": ({"accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, b""),
    "no-accept": ({"accept": None}, b""),
    "no-upgrade": ({"upgrade": None}, b""),
    "no-connection": ({"connection": None}, b""),
    "other-upgrade": ({"upgrade": "h2c"}, b""),
    "http-1.0": ({"status": "HTTP/1.0 101 Switching Protocols"}, b""),
    "extension": ({"more": "Sec-WebSocket-Extensions: permessage-deflate"}, b""),
    "subprotocol": ({"more": "Sec-WebSocket-Protocol: chat"}, b""),
    "not-http": ({"status": "220 mail.example ESMTP"}, b""),
    "no-answer": (None, b""),
    "silent": (None, b""),
    "deaf": ({}, TEXT),
    "masked": ({}, bytes.fromhex("8182000000006869")),
    "reserved-bit": ({}, bytes.fromhex("c1026869")),
    "reserved-opcode": ({}, bytes.fromhex("83026869")),
    "orphan": ({}, bytes.fromhex("80026869")),
    "text-in-text": ({}, bytes.fromhex("0102686981026869")),
    "ping-in-pieces": ({}, bytes.fromhex("09026869")),
    "long-ping": ({}, bytes.fromhex("897e007e") + b"p" * 126),
    "long-form": ({}, bytes.fromhex("817e00026869")),
    "bad-text": ({}, bytes.fromhex("8102c328")),
    "bad-close": ({}, bytes.fromhex("880103")),
    "close-1005": ({}, bytes.fromhex("880203ed")),
    "cut-frame": ({}, bytes.fromhex("81056869")),
}


def answer(changes, request):
    """A good answer with these changes."""
    key = re.search(rb"(?im)^sec-websocket-key:[ \t]*([^\r\n]*?)[ \t]*\r$", request)[1]
    proof = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    parts = GOOD | {"accept": base64.b64encode(proof).decode()} | changes
    lines = [parts["status"]]
    fields = [("Upgrade", "upgrade"), ("Connection", "connection"), ("Sec-WebSocket-Accept", "accept")]
    lines += [f"{name}: {parts[part]}" for name, part in fields if parts[part] is not None]
    lines += [parts["more"]] if "more" in parts else []
    return (parts.get("before", "") + "\r\n".join(lines) + "\r\n\r\n").encode()


def main(case):
    changes, frames = CASES[case]
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    peer, _ = listener.accept()
    peer.settimeout(20)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += peer.recv(1)
    after, end = b"", "fin"
    try:
        if changes is not None:
            out = answer(changes, request) + frames
            size = changes.get("pieces", len(out))
            for start in range(0, len(out), size):
                peer.sendall(out[start : start + size])
        # After a good ending the server closes first; after a bad one it waits for the client to go.
        if case in ("no-answer", "cut-frame"):
            peer.shutdown(socket.SHUT_WR)
        while piece := peer.recv(65536):
            after += piece
            if frames.endswith(CLOSE) and b"\x88" in after:
                peer.shutdown(socket.SHUT_WR)
    except OSError as error:
        end = errno.errorcode.get(error.errno, str(error))
    print(json.dumps({"request": request.decode("latin-1"), "after": after.hex(), "end": end}), flush=True)
    peer.close()


main(sys.argv[1])
