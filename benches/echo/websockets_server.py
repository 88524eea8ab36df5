"""Python's websockets as a plain echo server, without compression. It says what it is and where."""

import asyncio
from importlib.metadata import version

from websockets.asyncio.server import serve


async def echo(peer):
    async for message in peer:
        await peer.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"websockets {version('websockets')}: ws://127.0.0.1:{port}/", flush=True)
        await server.serve_forever()


asyncio.run(main())
