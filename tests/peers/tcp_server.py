"""Python's socket as a server of one caller: says what came, and how it ended.

Usage: tcp_server.py [ANSWER]

With ANSWER it is sent once the caller has ended its half, and only then is the connection closed.
"""

import errno
import json
import socket
import sys

answer = sys.argv[1].encode() if len(sys.argv) > 1 else b""
listener = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
peer, _ = listener.accept()
peer.settimeout(20)
came, end = b"", "fin"
try:
    while piece := peer.recv(65536):
        came += piece
    peer.sendall(answer)
except OSError as error:
    end = errno.errorcode.get(error.errno, str(error))
print(json.dumps({"came": came.decode("latin-1"), "end": end}), flush=True)
peer.close()
