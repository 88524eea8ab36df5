"""The websockets library as a server. The path says what it does; at the end of each connection it says what happened.

/echo: every message comes back. /goodbye: the first message is answered by Close 4001. /ping: pings, and echoes once the pong is there.
/fragments: one text in four frames, then echoes. /refuse/STATUS: no WebSocket, but this answer.
"""

import asyncio
import http
import json

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


def say(**what):
    print(json.dumps(what), flush=True)


def refuse(connection, request):
    if request.path.startswith("/refuse/"):
        return connection.respond(http.HTTPStatus(int(request.path.removeprefix("/refuse/"))), "not here\n")
    return None


async def talk(peer):
    counts = {"received": 0, "sent": 0}
    path = peer.request.path
    try:
        if path == "/ping":
            await (await peer.ping(b"are you there?"))
            say(pong=True)
        if path == "/fragments":
            # The euro sign is cut in the middle.
            await peer.send([b"a fragment, \xe2\x82", b"\xac, ", b"", b"the end"], text=True)
            counts["sent"] += 1
        async for message in peer:
            counts["received"] += 1
            if path == "/goodbye":
                await peer.close(4001, "gr\u00fc\u00dfe")
                break
            await peer.send(message)
            counts["sent"] += 1
    except ConnectionClosed:
        pass
    await peer.wait_closed()
    code, reason = peer.close_code, peer.close_reason
    headers = peer.request.headers
    say(**counts, code=code, reason=reason, origin=headers.get("Origin"), host=headers["Host"])


async def main():
    async with serve(talk, "127.0.0.1", 0, process_request=refuse, ping_interval=None) as server:
        say(port=server.sockets[0].getsockname()[1])
        await server.serve_forever()


asyncio.run(main())
