#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A far network between two ports of this machine: relay.py --port-file FILE TO-PORT MILLISECONDS

What comes in on a connection goes out on the other side that many milliseconds later, in both directions; so does its end."""
import argparse
import asyncio


async def carry(reader, writer, delay):
    """Bytes in order, each read `delay` after it came."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()

    async def take():
        data = b"x"
        while data:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            queue.put_nowait((loop.time() + delay, data))
    taker = asyncio.create_task(take())
    data = b"x"
    while data:
        when, data = await queue.get()
        await asyncio.sleep(max(0.0, when - loop.time()))
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            break
    taker.cancel()
    writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("port", type=int)
    parser.add_argument("ms", type=float)
    options = parser.parse_args()

    async def connection(reader, writer):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", options.port)
        await asyncio.gather(carry(reader, there_writer, options.ms / 1000), carry(there_reader, writer, options.ms / 1000))
    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=256)
    with open(options.port_file, "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


asyncio.run(main())
