"""The load: a process of its own with keep-alive connections; as little work a request as Python allows.

`python load.py < job.json`: {"port", "connections", "requests": [text, …]}; answers {"seconds", "p50", "p99", "wrong": {status: count}}, times in
seconds. Every request is sent once, and a connection sends its next as soon as the answer to the last is complete.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

LENGTH = b"\r\ncontent-length: "


def complete(answer: bytes) -> bool:
    """Whether the whole body has come."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = answer.lower().find(LENGTH, 0, head)
    end = answer.find(b"\r\n", at + len(LENGTH))
    return len(answer) >= head + 4 + int(answer[at + len(LENGTH) : end])


def run(port: int, connections: int, requests: Iterator[bytes]) -> dict[str, Any]:
    """Send everything; `connections` requests are under way at any time."""
    waiting, times, wrong = selectors.DefaultSelector(), [], Counter[str]()
    started = time.perf_counter()
    for _ in range(connections):
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if (request := next(requests, None)) is not None:
            one.sendall(request)
            waiting.register(one, selectors.EVENT_READ, [b"", time.perf_counter()])
    while waiting.get_map():
        for key, _ in waiting.select(30):
            one, state = key.fileobj, key.data
            assert isinstance(one, socket.socket)
            state[0] += one.recv(1 << 18)
            if not complete(state[0]):
                continue
            times.append(time.perf_counter() - state[1])
            if state[0][9:10] != b"2":
                wrong[state[0][9:12].decode() + " " + state[0][-300:].decode(errors="replace")] += 1
            if (request := next(requests, None)) is None:
                waiting.unregister(one)
                one.close()
                continue
            state[0], state[1] = b"", time.perf_counter()
            one.sendall(request)
    seconds, times = time.perf_counter() - started, sorted(times)
    return {"seconds": seconds, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "wrong": wrong}


if __name__ == "__main__":
    job = json.load(sys.stdin)
    print(json.dumps(run(job["port"], job["connections"], iter([text.encode("latin-1") for text in job["requests"]]))))
