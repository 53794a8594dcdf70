"""Which `delete` messages have what is stored of their user deleted: `on_delete: purge` on a source."""

import logging

from receiver.core.facts import Fields, message_id, owner
from receiver.core.routes import SourcePath

log = logging.getLogger("hookyard.intake")


def orders_purge(way: SourcePath, kind: str | None, fields: Fields, *, covered: bool) -> bool:
    """Whether this message, of type `kind`, does. One that its verification does not cover could be made by
    anybody: it is kept like all others, and no more."""
    if kind != "delete" or not way.source.purges or owner(fields) is None:
        return False
    if not covered:
        log.warning(
            "a delete message purges nothing: its verification does not cover it",
            extra={"source": way.source.name, "message_id": message_id(fields)},
        )
    return covered
