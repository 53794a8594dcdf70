"""Every wrong call of the tracking API gets its own clear answer, and stores nothing."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from receiver.core.errors import StoreUnavailable
from receiver.load import Load
from receiver.tracking.limits import MAX_BATCH, MAX_ITEMS, MAX_MESSAGE
from tests.support.http_side import WRITE_KEY, HttpSide
from tests.support.segment import nested
from tests.support.tracking import SLASHES, TRACK, batch, keyed, of_size, post, text


def test_a_store_that_takes_nothing_answers_503_that_browsers_can_read() -> None:
    side = HttpSide()
    side.recorder.error = StoreUnavailable("Redis does not answer", retry_after=2)
    answer = post(side, "b", batch(TRACK), origin="https://a.example")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "store_unavailable", "2")
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


def test_too_many_requests_at_a_time_answer_503() -> None:
    answer = post(HttpSide(load=Load(max_requests=0)), "t", keyed())
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "overloaded", "1")


@dataclass(frozen=True)
class Wrong:
    """A request and the answer it must get."""

    status: int
    code: str
    says: str
    path: str = "track"
    body: bytes | Sequence[bytes] = b""
    method: str = "POST"
    headers: Mapping[str, str] | None = None


KEY = WRITE_KEY.encode()
WRONG = {
    "no key": Wrong(400, "invalid_write_key", "An invalid write key was provided", body=text(TRACK)),
    "an empty key": Wrong(400, "invalid_write_key", "write_key_env", body=keyed(key="")),
    "a short key": Wrong(400, "invalid_write_key", "write key", body=keyed(key="x")),
    "a key in other letters": Wrong(400, "invalid_write_key", "write key", body=keyed(key=WRITE_KEY.upper())),
    "a key that is no text": Wrong(
        400, "invalid_write_key", "", body=text({**TRACK, "writeKey": [WRITE_KEY]})
    ),
    "a deep key": Wrong(400, "invalid_write_key", "", body=b'{"writeKey":%b}' % (b"[" * 9000 + b"]" * 9000)),
    "broken Basic": Wrong(
        400, "invalid_write_key", "", body=text(TRACK), headers={"authorization": "Basic ?"}
    ),
    "only items of unknown keys": Wrong(
        400, "invalid_write_key", "", "batch", batch({**TRACK, "writeKey": "x"}, {"writeKey": "y"})
    ),
    "an empty batch of an unknown key": Wrong(400, "invalid_write_key", "", "b", text({"batch": []})),
    "no JSON": Wrong(400, "malformed_json", "not valid JSON", body=b"{"),
    "an empty body": Wrong(400, "malformed_json", "not valid JSON"),
    "an empty batch body": Wrong(400, "malformed_json", "not valid JSON", "batch"),
    "a form": Wrong(400, "malformed_json", "not valid JSON", body=b"writeKey=x&event=E"),
    "NaN": Wrong(400, "malformed_json", "NaN", body=b'{"a":NaN,"writeKey":"%b"}' % KEY),
    "half a batch": Wrong(400, "malformed_json", "JSON", "batch", b'{"writeKey":"%b","batch":[{}' % KEY),
    "not UTF-8": Wrong(400, "malformed_json", "UTF-8", body=b'{"writeKey":"%b","a":"\xff"}' % KEY),
    "an array": Wrong(400, "not_a_message", "no object", body=b"[" + keyed() + b"]"),
    "an array to batch": Wrong(400, "not_a_message", "no object", "batch", b"[" + keyed() + b"]"),
    "null": Wrong(400, "not_a_message", "no object", body=b"null"),
    "a message to batch": Wrong(400, "not_a_message", "`batch`", "batch", keyed()),
    "a batch that is an object": Wrong(400, "not_a_message", "`batch`", "b", text({"batch": {}})),
    "a batch that is null": Wrong(400, "not_a_message", "`batch`", "import", text({"batch": None})),
    "a batch of nothing": Wrong(400, "not_a_message", "no message", "batch", batch(None, 1)),
    "501 levels": Wrong(400, "too_deep", "500 levels", body=b'{"writeKey":"%b","a":%b}' % (KEY, nested(500))),
    "100,000 open brackets": Wrong(400, "payload_too_large", "", body=b"[" * 100_000),
    "30,000 open brackets": Wrong(400, "malformed_json", "", body=b'{"a":' + b"[" * 30_000),
    "a deep context of a batch": Wrong(
        400,
        "too_deep",
        "500 levels",
        "b",
        b'{"batch":[{}],"writeKey":"%b","context":%b}' % (KEY, nested(501)),
    ),
    "a large message": Wrong(400, "payload_too_large", "Exceed payload limit", body=of_size(MAX_MESSAGE + 1)),
    "a large batch": Wrong(
        400,
        "payload_too_large",
        "Exceed payload limit: a batch",
        "batch",
        batch(*[TRACK] * 2000, pad="x" * 500_000),
    ),
    "only large items": Wrong(
        400, "payload_too_large", "Exceed payload limit: each message", "b", batch({"a": "x" * MAX_MESSAGE})
    ),
    "a gzip bomb": Wrong(
        400,
        "payload_too_large",
        "Exceed payload limit",
        body=gzip.compress(b'{"a":"' + b"a" * 10_000_000 + b'"}'),
        headers={"content-encoding": "gzip"},
    ),
    "an announced length": Wrong(
        400, "payload_too_large", "", body=keyed(), headers={"content-length": "100000000"}
    ),
    "2,501 items": Wrong(400, "batch_too_long", "2500", "batch", batch(*[{}] * (MAX_ITEMS + 1))),
    "measurements without end": Wrong(400, "payload_too_large", "", "m", b"x" * (MAX_BATCH + 1)),
    "no gzip": Wrong(400, "bad_encoding", "", body=keyed(), headers={"content-encoding": "gzip"}),
    "br": Wrong(415, "unsupported_encoding", "gzip", body=keyed(), headers={"content-encoding": "br"}),
    "an unknown call": Wrong(404, "unknown_call", "tracking API", "purchase", keyed()),
    "an unknown pixel": Wrong(404, "unknown_call", "", "pixel/purchase", method="GET"),
    "nothing": Wrong(404, "unknown_call", "", "", keyed()),
    "an unknown call asked by OPTIONS": Wrong(404, "unknown_call", "", "purchase", method="OPTIONS"),
    "no project": Wrong(404, "unknown_call", "", "projects//settings", method="GET"),
    "an unknown project": Wrong(400, "invalid_write_key", "", "projects/x/settings", method="GET"),
    "POST of settings": Wrong(400, "wrong_method", "GET", f"projects/{WRITE_KEY}/settings"),
    "POST of a pixel": Wrong(400, "wrong_method", "GET", "pixel/track"),
    "GET": Wrong(400, "wrong_method", "POST", method="GET"),
    "PUT": Wrong(400, "wrong_method", "stores nothing", "batch", batch(TRACK), "PUT"),
    "DELETE": Wrong(400, "wrong_method", "", "t", keyed(), "DELETE"),
}


@pytest.mark.parametrize("slash", SLASHES)
@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_a_wrong_request_gets_a_clear_answer(wrong: Wrong, slash: str) -> None:
    side = HttpSide()
    answer = side.send(
        wrong.body, path=f"/v1/{wrong.path}{slash}", method=wrong.method, headers=wrong.headers or {}
    )
    assert (answer.status, answer.code) == (wrong.status, wrong.code)
    assert answer.json().keys() == {"success", "code", "message"}
    assert answer.json()["success"] is False
    assert wrong.says in answer.json()["message"]
    assert side.recorder.messages == []
    assert side.counted(f'hookyard_requests_total{{code="{wrong.code}",endpoint="tracking"}}') == 1


def test_a_way_in_of_the_tracking_api_is_no_path_below_hooks() -> None:
    side = HttpSide()
    for path in ("/hooks/v1/web", "/hooks//v1/web", "/hooks/web"):
        assert side.send(text(TRACK), path=path, headers={}).code == "unknown_source"
    assert side.recorder.messages == []
