"""RQ's forking worker with what it lacks for drains: it tells the work horse to stop, frees a dead drain at
once, and outlives a Redis that is away or came back empty."""

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any

import redis
from redis import exceptions
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus
from rq.worker_registration import REDIS_WORKER_KEYS, register

from receiver.core import duty, scripts
from receiver.core.clients import connect
from receiver.core.clock import SYSTEM
from receiver.core.errors import Unavailable
from receiver.core.queue import PREFIX, Jobs
from workers import jobs

log = logging.getLogger("hookyard.worker")

HEARTBEAT_S = 5
WORKER_TTL_S = 30
PR_SET_PDEATHSIG = 1


class DrainWorker(Worker):
    """A worker of one queue that works one drain."""

    store_url: str
    """Redis of the store, which may be another than RQ's."""
    jobs: Jobs

    def handle_warm_shutdown_request(self) -> None:
        """Plain RQ waits for the horse without telling it; a drain would stay on duty for minutes."""
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGHUP, self._hand_over)

    def _hand_over(self, *_: object) -> None:
        """Other processes go by another configuration. A drain puts one of them on duty and finishes what it
        has; a worker that waits for one ends at once."""
        if os.getpid() != self.pid:  # in the horse, which was forked just now
            jobs.told_to_hand_over.set()
        elif self.horse_pid:
            self._tell_horse()
        elif self.get_state() == WorkerStatus.BUSY:
            jobs.told_to_hand_over.set()  # the horse will be born with it
        else:
            raise StopRequested

    def _tell_horse(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.horse_pid, signal.SIGHUP)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        super().fork_work_horse(job, queue)
        if jobs.told_to_hand_over.is_set():  # maybe only after the fork
            self._tell_horse()

    def teardown(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it ends already
        super().teardown()  # type: ignore[no-untyped-call]

    def main_work_horse(self, job: Job, queue: Queue) -> Any:
        """In the horse: end with the worker, even when that is killed, or was already."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
            if os.getppid() != self.pid:
                os._exit(1)
        return super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        """Take a dead drain off duty at once; what it had in flight goes to quarantine, on duty from now."""
        log.warning("work horse of %s ended with %s", job.id, ret_val)
        client = connect(self.store_url)
        try:
            freed = scripts.run_now(client, duty.reap(job.id, now_ms=SYSTEM.now_ms()))
            log.info("freed %s (%s in flight)", job.id, freed.leases)
            self.jobs.enqueue(freed.reserved)
        except (Unavailable, exceptions.RedisError, OSError) as error:
            log.warning("could not free %s, the sweeper will: %s", job.id, error)
        finally:
            client.close()

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """The horse works on while Redis is away; a worker that died of it would take the horse along."""
        try:
            super().maintain_heartbeats(job, execution)
            if not self.connection.sismember(REDIS_WORKER_KEYS, self.key):
                register(self)
        except (exceptions.RedisError, OSError) as error:
            log.warning("no heartbeat for RQ: %s", error)


def make(queue: str, name: str, rq: "redis.Redis", store_url: str, jobs: Jobs) -> DrainWorker:
    """A worker for one of our queues."""
    worker = DrainWorker(
        [Queue(PREFIX + queue, connection=rq, serializer=JSONSerializer)],
        name=name,
        connection=rq,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        job_monitoring_interval=HEARTBEAT_S,
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.store_url, worker.jobs = store_url, jobs
    worker.max_connection_wait_time = 1.0
    return worker
