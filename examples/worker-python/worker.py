#!/usr/bin/env python3
"""A Tidegate worker in plain Python: standard library only.

    export TIDEGATE_URL=http://127.0.0.1:8000
    export TIDEGATE_KEY=$(tidegate key create --name worker --scope generations:work --json | jq -r .secret)
    python3 worker.py

It claims generations of WORKER_FRAMEWORKS (default "external"), works through options.steps steps of
options.step_seconds, and returns the words of the prompt, counted. Replace `work` with your own; what
to copy is all the rest: the lease, the cancel, and a server that goes away in the middle.
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

URL = os.environ.get("TIDEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("TIDEGATE_KEY") or sys.exit("set TIDEGATE_KEY to a key with generations:work")
FRAMEWORKS = os.environ.get("WORKER_FRAMEWORKS", "external").split(",")
LEASE_SECONDS = 30
PAUSE_FIRST, PAUSE_MAX = 0.2, 5.0
TIMEOUT = 45  # longer than a claim waits


class Refused(Exception):
    """The server won't, and asking again would not help."""


class Cancelled(Exception):
    """The job's owner wants it to stop."""


def post(path, body, lease=None):
    """Posts, again and again while the server is away: a restart costs the job nothing."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if lease:
        headers["Tidegate-Lease"] = lease
    pause = PAUSE_FIRST
    while True:
        request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers, method="POST")
        wait = pause
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise Refused(f"{error.code} {code_of(error)}") from None
            wait = float(error.headers.get("Retry-After") or pause)
        except (OSError, ValueError, EOFError) as error:  # refused, reset, timed out, cut in the middle
            note(f"the server is away ({error})")
        except Exception as error:  # http.client's own: an answer that breaks off
            note(f"the server's answer broke off ({error})")
        time.sleep(wait)
        pause = min(pause * 2, PAUSE_MAX)


def code_of(error):
    try:
        return json.load(error).get("code", "unknown")
    except ValueError:
        return "unknown"


class Job:
    """A claimed generation. A thread of its own keeps the lease while a step takes long."""

    def __init__(self, claim):
        self.generation = claim["generation"]
        self.path = f"/api/v1/generations/{self.generation['id']}"
        self.lease = claim["lease_token"]
        self.last = {"stage": "claimed"}
        self.lock = threading.Lock()
        self.cancelled = threading.Event()
        self.lost = threading.Event()
        self.done = threading.Event()
        threading.Thread(target=self.keep, daemon=True).start()

    def report(self, stage, progress, message):
        """Tells how far it is. Raises when that is the end of it."""
        with self.lock:
            self.last = {"stage": stage, "progress": progress, "message": message}
            self.tell()
        if self.lost.is_set():
            raise Refused("the lease is lost")
        if self.cancelled.is_set():
            raise Cancelled

    def tell(self):
        try:
            if post(self.path + "/progress", self.last, self.lease)["cancel_requested"]:
                self.cancelled.set()
        except Refused as refused:  # fenced, or gone: somebody else's by now
            note(f"{self.generation['id']} is not ours any more: {refused}")
            self.lost.set()

    def keep(self):
        while not self.done.wait(LEASE_SECONDS / 3):
            with self.lock:
                if not self.done.is_set():
                    self.tell()

    def end(self, call, body):
        self.done.set()
        with self.lock:
            if not self.lost.is_set():
                post(f"{self.path}/{call}", body, self.lease)
                note(f"{self.generation['id']} {call}")


def work(job):
    """The work itself. Replace it with your own."""
    options = job.generation["options"]
    steps, seconds = int(options.get("steps", 10)), float(options.get("step_seconds", 1))
    for step in range(1, steps + 1):
        time.sleep(seconds)
        job.report("counting", step / steps, f"step {step} of {steps}")
    return {"words": len(job.generation["prompt"].split())}


def run(claim):
    job = Job(claim)
    note(f"claimed {job.generation['id']}")
    try:
        try:
            result = work(job)
        except Cancelled:
            job.end("progress", {"stage": "cancelled", "status": "cancelled"})
        except Refused:
            job.done.set()
        except Exception as error:  # whatever happened, the job's owner is told
            job.end("fail", {"error": {"code": type(error).__name__, "message": str(error) or "failed"}})
        else:
            job.end("complete", {"result": result})
    except Refused as refused:
        note(f"{job.generation['id']}: {refused}")


def note(words):
    print(f"worker: {words}", file=sys.stderr, flush=True)


def main():
    note(f"waiting for {', '.join(FRAMEWORKS)}")
    wish = {"frameworks": FRAMEWORKS, "lease_seconds": LEASE_SECONDS, "wait": 30, "worker": "python"}
    while True:
        claim = post("/api/v1/work/claim", wish)
        if claim:  # None: nothing came in half a minute
            run(claim)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except Refused as refused:
        sys.exit(f"the server refuses: {refused}")
