"""The HTTP of commands that send by hand, against servers that misbehave."""

import socket
import threading

import pytest

from receiver.cli.transport import CannotSend, Line
from tests.support.destination import Answer, Destination


def why(url: str, **options: float) -> tuple[str, str]:
    """The reason why one GET fails, and the sentence."""
    with Line(url, **options) as line, pytest.raises(CannotSend) as caught:  # type: ignore[arg-type]
        line.exchange("GET", line.target, headers={})
    return caught.value.why, caught.value.message


def test_requests_share_a_connection_and_answers_are_whole() -> None:
    answer = Answer(status=404, headers={"X-A": "b"}, body=b"no")
    with Destination(otherwise=answer) as server, Line(server.url + "/a?b=c") as line:
        replies = [line.exchange("PUT", line.target, headers={"x": "y"}, body=b"1") for _ in range(3)]
    assert {(seen.method, seen.path, seen.query, seen.body) for seen in server.requests} == {
        ("PUT", "/a", "b=c", b"1")
    }
    assert all(reply.status == 404 and reply.body == b"no" and not reply.truncated for reply in replies)
    assert replies[0].headers["x-a"] == "b"


def test_a_connection_closed_in_between_is_opened_once_more() -> None:
    with Destination(Answer(headers={"Connection": "close"}), Answer()) as server, Line(server.url) as line:
        for _ in range(2):
            assert line.exchange("GET", "/", headers={}).status == 200


def test_a_first_request_is_not_sent_twice() -> None:
    with Destination(otherwise=Answer(behaviour="reset")) as server:
        assert why(server.url)[0] == "broken"
        assert len(server.requests) == 1


def test_a_long_answer_is_cut() -> None:
    with (
        Destination(Answer(body=b"x" * 300_000), Answer()) as server,
        Line(server.url, longest=1_000) as line,
    ):
        reply = line.exchange("GET", "/", headers={})
        assert (len(reply.body), reply.truncated) == (1_000, True)
        assert line.exchange("GET", "/", headers={}).status == 200


def test_an_answer_that_never_ends_and_one_that_never_comes() -> None:
    with Destination(Answer(behaviour="hang")) as server:
        assert why(server.url, seconds=0.2)[0] == "timeout"
    with Destination(Answer(behaviour="flood")) as server, Line(server.url, longest=100_000) as line:
        assert line.exchange("GET", "/", headers={}).truncated


def test_what_is_wrong_is_said_without_path_and_password() -> None:
    with Destination() as server:
        gone = server.url.removeprefix("http://")
        code, sentence = why(f"https://{gone}/")
        assert code == "tls"
        assert f"no secure connection to https://{gone}" in sentence
    assert why(f"http://me:secret@{gone}/private") == ("refused", f"nothing listens at http://{gone}")


def test_what_a_server_says_instead_of_http_reaches_no_terminal() -> None:
    def answer() -> None:
        line, _ = server.accept()
        with line:
            line.recv(4_096)
            line.sendall(b"\x1b]0;title\x07\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert why(url) == ("broken", f"cannot send to {url}: \\x1b]0;title\\x07")
        thread.join()


def test_a_host_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert why("http://nowhere.example.com/a") == (
        "dns",
        "the host of http://nowhere.example.com was not found",
    )
