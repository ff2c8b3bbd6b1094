"""Creates a stream, appends through kills of the server, reads it live from a second thread, sees its end.

Speaks with the test by lines: prints `kill` when the server should be killed and started, waits for `up`.
"""

import json
import os
import sys
import threading

import httpx
from durable_streams import DurableStream, SeqConflictError, stream

URL = os.environ["STREAM"]
HEADERS = {"Authorization": f"Bearer {os.environ['KEY']}"}
COUNT = 300
seen: list[int] = []


def follow() -> None:
    offset = "-1"
    while True:
        try:
            with stream(URL, offset=offset, live="sse", headers=HEADERS) as answer:
                for batch in answer.iter_events(mode="json"):
                    seen.extend(item["n"] for item in batch.data)
                    offset = batch.next_offset
            head = httpx.head(URL, headers=HEADERS)
            if head.headers.get("stream-closed") and head.headers["stream-next-offset"] == offset:
                return
        except httpx.TransportError:
            continue  # the server is being started again


def append(handle: DurableStream, n: int) -> None:
    """One record, once: after a failure it is sent again, and a refused number was written before."""
    while True:
        try:
            handle.append({"n": n}, seq=f"{n:08}")
            return
        except httpx.TransportError:
            continue
        except SeqConflictError:
            return


handle = DurableStream.create(URL, content_type="application/json", headers=HEADERS, batching=False)
reader = threading.Thread(target=follow)
reader.start()
for n in range(COUNT):
    if n in (100, 200):
        print("kill", flush=True)
        assert sys.stdin.readline().strip() == "up"
    append(handle, n)
httpx.post(URL, headers=HEADERS | {"Stream-Closed": "true"}).raise_for_status()
reader.join(timeout=30)
assert not reader.is_alive(), "the reader did not see the end"
with stream(URL, offset="-1", live=False, headers=HEADERS) as answer:
    whole = [item["n"] for item in answer.read_json()]
print(json.dumps({"seen": seen, "whole": whole}), flush=True)
