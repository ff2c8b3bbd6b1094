import os

from durable_streams import stream

headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
with stream(os.environ["STREAM"], offset="-1", live="sse", headers=headers) as answer:
    for batch in answer.iter_events(mode="json"):  # ends with the stream, or with the connection
        for item in batch.data:
            print(item["n"], flush=True)
        # keep batch.next_offset, and the next run goes on there
