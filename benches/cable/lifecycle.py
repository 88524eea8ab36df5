"""The lifecycle of lifecycle.md between two threads: an echo, and both ends shut down and closed in the same order."""

import socket
import threading

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 7000))
server.listen(4)


def echo():
    conn, _ = server.accept()
    received = b""
    while more := conn.recv(100):
        received += more
    conn.sendall(received)
    conn.close()


thread = threading.Thread(target=echo)
thread.start()
client = socket.create_connection(("127.0.0.1", 7000))
client.sendall(b"hello")
client.shutdown(socket.SHUT_WR)
assert client.recv(100) == b"hello"
assert client.recv(100) == b""
client.close()
thread.join()
server.close()
