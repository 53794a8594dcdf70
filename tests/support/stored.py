"""Builds configurations and messages for tests of the store, without a file or a request."""

import itertools

import orjson

from receiver.core.message import NewMessage
from receiver.core.routes import Config, Route, Source, SourcePath
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from receiver.core.verify_options import VerifyNone

_ids = itertools.count(1)


def route(
    name: str,
    *,
    target: str = "workers.handlers.hello:greet",
    concurrency: int = 20,
    queue: str = "default",
    retry: tuple[float, ...] = (1.0, 5.0),
    rate_limit: float | None = None,
    order_by: tuple[str, ...] | None = None,
) -> Route:
    """A route that takes everything and calls one handler."""
    step = StepConfig(name="handler", spec=HandlerSpec(target=target))
    return Route(
        name=name,
        steps=(step,),
        retry=retry,
        concurrency=concurrency,
        rate_limit=rate_limit,
        order_by=order_by,
        queue=queue,
    )


def config(*routes: Route, version: str = "test") -> Config:
    """One unsigned source `shop`, and these routes."""
    shop = Source(name="shop", verify=(VerifyNone(),), paths={"shop": None})
    return Config(
        sources={"shop": shop},
        connections={},
        routes={one.name: one for one in routes},
        version=version,
        paths={"shop": SourcePath(source=shop, path="shop")},
    )


def message(
    *routes: str,
    message_id: str | None = None,
    content: bytes = b"same",
    covered: bool = True,
    users: tuple[str, ...] = (),
    body: bytes | None = None,
    order: tuple[tuple[str, str], ...] = (),
) -> NewMessage:
    """A message as intake hands it to the committer; by default with an id of its own."""
    message_id = f"m-{next(_ids)}" if message_id is None else message_id or None
    text = body or orjson.dumps({"type": "track", "event": "Tested", "messageId": message_id})
    return NewMessage(
        body=text,
        source="shop",
        path="shop",
        covered=covered,
        message_id=message_id,
        content=content,
        users=users,
        routes=routes,
        order=order,
    )
