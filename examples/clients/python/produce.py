# pip install durable-streams
import os

from durable_streams import DurableStream

headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
stream = DurableStream.create(os.environ["STREAM"], content_type="application/json", headers=headers)
for n in range(1, 4):
    stream.append({"n": n}, seq=f"{n:08}")  # a repeated or late number is refused

# This version of the client has no call that ends a stream; the protocol's header does.
import httpx

httpx.post(os.environ["STREAM"], headers=headers | {"Stream-Closed": "true"}).raise_for_status()
