"""Baseline of delivering: one RQ job a message, worked by one SimpleWorker (the faster of RQ's own two).

    BENCH_REDIS_URL=unix://… python -m benchmarks.baselines.jobs COUNT

prints the rate as JSON. The jobs are enqueued before the clock starts.
"""

import json
import os
import sys
import time

from redis import Redis
from rq import Queue, SimpleWorker
from rq.registry import FinishedJobRegistry

from benchmarks.messages import many


def main(count: int) -> int:
    redis = Redis.from_url(os.environ["BENCH_REDIS_URL"])
    queue = Queue("bench-jobs", connection=redis)
    for body in many(count):
        queue.enqueue("benchmarks.handlers.job", body)
    worker = SimpleWorker([queue], connection=redis)
    start = time.perf_counter()
    worker.work(burst=True, logging_level="ERROR")
    seconds = time.perf_counter() - start
    done = len(FinishedJobRegistry(queue=queue))
    print(json.dumps({"rate": done / seconds, "done": done}))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
