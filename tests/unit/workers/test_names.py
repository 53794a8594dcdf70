from datetime import datetime

import pytest

from receiver.core.templates import compile_value
from tests.support.outbound import a_context, a_message, with_tools
from workers.api import Context
from workers.errors import MessageUnreadable
from workers.names import template_names, used_by
from workers.toolbox import Toolbox

BODY = {"userId": "u1", "source": "a field", "event": "Seen"}


def rendered(text: str) -> object:
    async def context(tools: Toolbox) -> Context:
        return a_context(tools, a_message(BODY), outputs={"who": {"plan": "pro"}})

    template = compile_value(text, kind="json", where="test")
    return template.render(template_names(a_message(BODY), with_tools(context), used_by([template])))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ userId }}", "u1"),
        ("{{ nothing }}", None),
        ("{{ source }}", "shop"),
        ("{{ steps.who.plan }}", "pro"),
        ("{{ message.id }}", "msg_17"),
        ("{{ message.source }}", "a field"),
        ("{{ message.event }} by {{ userId }}", "Seen by u1"),
        ("plain", "plain"),
    ],
)
def test_what_a_template_sees(text: str, value: object) -> None:
    assert rendered(text) == value


def test_now_is_a_time() -> None:
    assert datetime.fromisoformat(str(rendered("{{ now }}"))).tzinfo is not None


def test_a_message_is_parsed_only_if_a_template_looks_into_it() -> None:
    async def context(tools: Toolbox) -> Context:
        return a_context(tools, a_message(b""))

    unread = with_tools(context)
    assert template_names(a_message(b""), unread, frozenset()) == {}
    with pytest.raises(MessageUnreadable):
        template_names(a_message(b""), unread, frozenset({"userId"}))
