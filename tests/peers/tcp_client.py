"""Python's socket as a client of an echo server: sends in pieces, ends its half, reads to the end.

Usage: tcp_client.py PORT (echo BYTES | reset | leave)

echo: sends BYTES of them and wants the same back. reset: one line there and back, then SO_LINGER 0, so that close sends RST.
leave: one line there and back, then close.
"""

import json
import socket
import struct
import sys
import threading

port, what = int(sys.argv[1]), sys.argv[2]
peer = socket.create_connection(("127.0.0.1", port), timeout=20)


def read(size):
    """Exactly so many bytes, or what came before the end."""
    got = b""
    while len(got) < size and (piece := peer.recv(65536)):
        got += piece
    return got


if what == "echo":
    out = bytes(i * 7 % 251 for i in range(int(sys.argv[3])))

    def write():
        for start in range(0, len(out), 1000):
            peer.sendall(out[start : start + 1000])
        peer.shutdown(socket.SHUT_WR)

    # Who only writes and an echo that only waits to write would hold each other up.
    writer = threading.Thread(target=write)
    writer.start()
    back = read(len(out) + 1)
    writer.join()
    print(json.dumps({"sent": len(out), "received": len(back), "same": back == out}))
else:
    peer.sendall(b"one line\n")
    back = read(9)
    if what == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    print(json.dumps({"sent": 9, "received": len(back), "same": back == b"one line\n"}))
peer.close()
