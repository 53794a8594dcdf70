"""The edge: request ids, the access log, and what stands in metrics."""

import logging

import pytest

from tests.support.http_side import HttpSide
from tests.support.segment import line

TRACK = line(2)


def test_each_answer_has_an_id_of_its_own() -> None:
    side = HttpSide()
    answers = [side.send(b"{"), side.send(b"{"), side.send(path="/livez", method="GET", headers={})]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_good_delivery_is_spared_what_nobody_reads() -> None:
    assert HttpSide().send(TRACK).headers.keys() == {"content-type", "content-length"}


def test_a_sender_s_id_is_kept_if_it_is_fit_to_be_logged() -> None:
    side = HttpSide()
    good = "0f9c2b9e-7f3e-4d29-9f4e-0d8b2f6d8a11"
    assert side.send(TRACK, headers={"x-request-id": good}).headers["x-request-id"] == good
    for bad in ("", "a b", "x" * 65, "\x1b[31m", 'a"b'):
        assert side.send(TRACK, headers={"x-request-id": bad}).headers["x-request-id"] != bad


def test_what_went_wrong_is_logged_at_info_and_good_deliveries_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    side = HttpSide()
    with caplog.at_level(logging.DEBUG, "hookyard.request"):
        side.send(TRACK)
        side.send(TRACK, headers={}, path="/hooks/shop/")
    good, bad = caplog.records
    assert (good.levelname, bad.levelname) == ("DEBUG", "INFO")
    assert good.__dict__["code"] == "ok"
    found = {name: bad.__dict__[name] for name in ("method", "path", "status", "code", "client")}
    assert found == {
        "method": "POST",
        "path": "/hooks/shop/",
        "status": 401,
        "code": "signature_missing",
        "client": "192.0.2.1",
    }
    assert bad.__dict__["ms"] >= 0


def test_what_a_sender_can_choose_never_becomes_a_label() -> None:
    side = HttpSide()
    for path in ("/hooks/chosen", "/chosen", "/", "//chosen", "/hooks"):
        side.send(TRACK, path=path)
    text = side.metrics.text().decode()
    assert "chosen" not in text
    assert side.counted('hookyard_requests_total{code="unknown_source",endpoint="hooks"}') == 1
    assert side.counted('hookyard_requests_total{code="http_404",endpoint="other"}') == 4
    assert side.counted('hookyard_requests_total{code="ok",endpoint="hooks"}') == 0


def test_good_answers_count_as_ok() -> None:
    side = HttpSide()
    side.send(TRACK)
    side.send(path="/livez", method="GET", headers={})
    assert side.counted('hookyard_requests_total{code="ok",endpoint="hooks"}') == 1
    assert side.counted('hookyard_requests_total{code="ok",endpoint="livez"}') == 1
