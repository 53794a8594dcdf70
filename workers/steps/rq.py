"""The rq step: one job on a queue of the user's.

The job's id depends on the delivery and the step alone: as long as RQ knows the job, a repeated attempt does
not make a second one.
"""

from typing import Any, cast

from redis.exceptions import RedisError

from receiver.core.sandbox import TemplateError
from receiver.core.steps.base import StepConfig
from receiver.core.steps.rq import RqSpec
from receiver.core.templates import compile_value
from workers.api import Context, Message
from workers.errors import PermanentError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome, Retry
from workers.steps.base import Step
from workers.toolbox import Toolbox
from workers.user_queues import Job


class RqStep:
    """Hands messages to one function."""

    def __init__(self, config: StepConfig, spec: RqSpec, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._spec = spec
        self._threads = tools.threads
        self._queue = tools.queues.queue(spec)
        self._args = compile_value(list(spec.args or ()), kind="json", where="args")
        self._kwargs = compile_value(dict(spec.kwargs or {}), kind="json", where="kwargs")
        self._used = used_by([self._args, self._kwargs])

    async def run(self, message: Message, context: Context) -> Outcome:
        try:
            job = self._job(message, context.at(self.name))
            await self._threads.call(lambda: self._queue.put(job))
        except TemplateError as error:
            return Dead("template_error", str(error))
        except PermanentError as error:
            return outcome_of(error)
        except (RedisError, OSError) as error:
            return Retry("rq_unavailable", f"queue {self._spec.queue}: {type(error).__name__}: {error}")
        return Done({"job_id": job.id, "queue": self._spec.queue})

    def _job(self, message: Message, context: Context) -> Job:
        names = template_names(message, context, self._used)
        args: list[Any] = self._args.render(names)
        if self._spec.args is None and self._spec.kwargs is None:
            args = [message.copy().data]
        ids = {"message": message.id, "route": context.route, "delivery": context.delivery}
        return Job(
            id=context.idempotency_key,
            args=tuple(args),
            kwargs=self._kwargs.render(names),
            description=f"{self._spec.function} for {message.id} of route {context.route}",
            meta={"hookyard": ids},
        )


def build(config: StepConfig, tools: Toolbox) -> Step:
    return RqStep(config, cast(RqSpec, config.spec), tools)
