"""What the configuration of now says about stored messages: for replays, dry runs and `hookyard explain`."""

from receiver.core.errors import MalformedMessage
from receiver.core.facts import facts
from receiver.core.filters import Facts, Matcher, Verdict
from receiver.core.json_text import Fields, members
from receiver.core.message import StoredMessage
from receiver.core.ordering import Ordering
from receiver.core.routes import Config


class Today:
    """A configuration's filters, asked about messages that came in under another one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._matcher = Matcher(config)
        self._ordering = Ordering(config)

    def routes(self, message: StoredMessage) -> tuple[str, ...]:
        """Names of the routes that take it; none where its path is gone, or its body is no object."""
        path = self._config.path(message.path)
        if path is None:
            return ()
        fields = _fields(message)
        if fields is None:
            return ()
        return self._matcher.match(
            path, facts(fields, with_channel=self._matcher.needs_channel(path)), fields
        )

    def ordering_key(self, message: StoredMessage, route: str) -> str | None:
        """What a delivery of it waits for its turn by; None: it does not."""
        fields = _fields(message) if self._ordering.orders(route) else None
        return None if fields is None else self._ordering.key(fields, route)

    def explain(self, message: StoredMessage) -> list[Verdict]:
        """Of every route, whether it takes the message and what speaks against it."""
        path = self._config.path(message.path)
        fields = _fields(message)
        if path is None:
            return self._none(f"no source of routes.yaml has the path {message.path} it came by")
        if fields is None:
            return self._none("its body is no JSON object")
        return self._matcher.explain(path, facts(fields, with_channel=True), fields)

    def _none(self, reason: str) -> list[Verdict]:
        return [Verdict(route=name, matched=False, reason=reason) for name in self._config.routes]


def seen(message: StoredMessage) -> Facts | None:
    """What filters see of a message; None when its body is no object."""
    fields = _fields(message)
    return None if fields is None else facts(fields, with_channel=True)


def _fields(message: StoredMessage) -> Fields | None:
    try:
        return members(message.body)
    except MalformedMessage:
        return None
