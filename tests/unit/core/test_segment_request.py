import base64
import gzip
import json
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from receiver.core.connections import Api, Connection
from receiver.core.segment import request
from receiver.core.segment.request import InvalidRequest
from receiver.core.settings import Secret

CRM = Connection(
    name="crm",
    write_key=Secret("write-key"),
    profile_token=Secret("profile-token"),
    space_id="space",
    public_api_token=Secret("public-token"),
)
SELF_HOSTED = Connection(name="own", write_key=Secret("k"), tracking_url="http://127.0.0.1:9/segment")


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


def called(path: str = "/v1/group/", connection: Connection = CRM, **more: Any) -> request.Request:
    return request.api_call(connection, "tracking", **{"method": "POST", "path": path, **more})


def test_a_batch_is_one_request_with_the_time_it_was_sent() -> None:
    made = request.batch(CRM, [b'{"type":"track"}', b'{"type":"page"}'], sent_at_ms=1_767_225_600_000)
    assert (made.method, made.url) == ("POST", "https://api.segment.io/v1/batch")
    assert made.headers == {"Authorization": basic("write-key"), "Content-Type": "application/json"}
    assert json.loads(made.body or b"") == {
        "sentAt": "2026-01-01T00:00:00.000Z",
        "batch": [{"type": "track"}, {"type": "page"}],
    }


def test_what_is_around_the_messages_has_room() -> None:
    made = request.batch(CRM, [b"{}"] * 3, sent_at_ms=1_767_225_600_000)
    assert len(made.body or b"") <= 3 * len(b"{},") + request.ENVELOPE


def test_a_single_call_goes_to_its_own_path() -> None:
    made = request.one(CRM, "group", b"{}")
    assert (made.url, made.body) == ("https://api.segment.io/v1/group", b"{}")


def test_the_example_of_the_low_code_tools_comes_out_word_for_word() -> None:
    own = {"Content-Type": "application/json", "authorization": basic("your_Write_Key")}
    body = b'{"userId": "u1", "groupId": "g1"}'
    made = called(headers=own, body=body)
    assert made == request.Request(
        method="POST", url="https://api.segment.io/v1/group/", headers=own, body=body
    )


def test_a_large_batch_is_worth_compressing_and_a_small_one_is_not() -> None:
    small = request.batch(CRM, [b"{}"], sent_at_ms=0)
    large = request.batch(CRM, [b'{"event":"Seen"}'] * 200, sent_at_ms=0)
    assert small.compressed() is small
    packed = large.compressed()
    assert packed.headers == {**large.headers, "Content-Encoding": "gzip"}
    assert len(packed.body or b"") < len(large.body or b"") / 4
    assert gzip.decompress(packed.body or b"") == large.body


@pytest.mark.parametrize(
    ("api", "url", "authorization"),
    [
        ("tracking", "https://api.segment.io/x", basic("write-key")),
        ("profile", "https://profiles.segment.com/x", basic("profile-token")),
        ("public", "https://api.segmentapis.com/x", "Bearer public-token"),
    ],
)
def test_each_api_has_its_address_and_its_credential(api: Any, url: str, authorization: str) -> None:
    made = request.api_call(CRM, api, method="GET", path="/x")
    assert (made.url, made.headers, made.body) == (url, {"Authorization": authorization}, None)


def test_the_query_repeats_lists_and_leaves_out_null() -> None:
    made = called("/x", query={"a": ["1", 2], "b": None, "c d": True, "e": "ü&="})
    assert made.url == "https://api.segment.io/x?a=1&a=2&c%20d=true&e=%C3%BC%26%3D"


def test_secrets_are_masked_for_people() -> None:
    made = called(headers={"authorization": basic("other"), "Cookie": "a=b", "X-Plain": "shown"})
    assert made.masked().headers == {"authorization": "Basic ***", "Cookie": "***", "X-Plain": "shown"}
    assert "write-key" not in repr(called().masked())
    assert basic("write-key") not in repr(called().masked())


def test_a_missing_credential_is_named() -> None:
    with pytest.raises(InvalidRequest, match="crm2 has no public_api_token_env"):
        request.api_call(Connection(name="crm2", write_key=Secret("k")), "public", method="GET", path="/")


@pytest.mark.parametrize(
    "path",
    [
        *("v1/group", "", "//evil.example", "https://evil.example/", "@evil.example/x", ":80@evil.example/"),
        *("/v1/../x", "/v1/%2e%2E/x", "/v1/x?a=1", "/v1/x#y", "/v1/ x", "/\\evil.example", "/x\r\nHost: e"),
        *("/\ud800",),
    ],
)
def test_a_path_never_leaves_the_connections_address(path: str) -> None:
    with pytest.raises(InvalidRequest, match="path: "):
        called(path)


@given(st.one_of(st.text(), st.text("/\\@:.%#?[]e2fF ", max_size=12).map("/".__add__)))
def test_any_path_is_refused_or_stays(path: str) -> None:
    for connection, host, port, base in (
        (CRM, "api.segment.io", None, "/"),
        (SELF_HOSTED, "127.0.0.1", 9, "/segment/"),
    ):
        try:
            made = called(path, connection)
        except InvalidRequest:
            continue
        assert (urlsplit(made.url).hostname, urlsplit(made.url).port) == (host, port)
        assert URL(made.url).host == host
        assert URL(made.url).user is None
        assert URL(made.url).path.startswith(base)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "TRACE"},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Content-Length": "3"}},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X-A": "\udc00"}},
        {"headers": {"X A": "a"}},
        {"query": {"a": {"b": 1}}},
        {"query": {"a": "\ud800"}},
    ],
)
def test_what_cannot_be_sent_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        called(**{"path": "/x", **wrong})


def test_an_api_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="api: one of tracking, profile, public"):
        request.api_call(CRM, cast(Api, "personas"), method="GET", path="/x")


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        called("x", method="PURGE", headers={"Host": "a", "X": "\n"})
    assert [name for name, _ in refused.value.problems] == ["method", "path", "headers.Host", "headers.X"]
