"""`hookyard routes preview` and conditions in `hookyard explain`, against a real store."""

from pathlib import Path

from receiver.cli.main import run
from tests.support.yard import ORDER, Screen, Yard, lines

NEW = """
  big:
    where: type = 'track' and properties.revenue > 100
    enabled: false
    steps: [{handler: "workflows.yard:deliver"}]
  web-only: {sources: [web], steps: [{handler: "workflows.yard:deliver"}]}
"""


def with_new_routes() -> None:
    path = Path("routes.yaml")
    path.write_text(path.read_text().rstrip() + NEW)


def test_a_route_that_nobody_serves_yet_is_previewed(worked: Yard, screen: Screen) -> None:
    worked.accept(*({**ORDER, "properties": {"revenue": revenue}} for revenue in (50, 150, 250)))
    with_new_routes()
    assert run(["routes", "preview", "big"]) == 0
    shown = screen.readouterr().out
    assert "big would have matched 2 of 8 messages." in shown
    assert shown.index("msg_8") < shown.index("msg_7") < shown.index("msg_6")
    assert "properties.revenue > 100 is not true (properties.revenue is 50)" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert run(["routes", "preview", "big", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["messages"], told["matched"], told["samples"]) == (8, 2, ["msg_8", "msg_7"])
    assert [one["id"] for one in told["left_out"]] == ["msg_6", "msg_5", "msg_4", "msg_3", "msg_2"]


def test_a_preview_of_a_stretch_of_time_reads_no_more(worked: Yard, screen: Screen) -> None:
    with_new_routes()
    assert run(["routes", "preview", "web-only", "--since", "90m", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["messages"], told["matched"]) == (1, 1)
    assert run(["routes", "preview", "web-only", "--until", "90m ago"]) == 0
    shown = screen.readouterr().out
    assert "web-only would have matched 0 of 4 messages." in shown
    assert "it came from shop; the route takes web only" in " ".join(shown.split())


def test_a_preview_of_a_large_store_goes_page_by_page(yard: Yard, screen: Screen) -> None:
    for _ in range(3):
        yard.accept(*([ORDER] * 400))
    yard.redis.config_resetstat()
    assert run(["routes", "preview", "orders", "--json"]) == 0
    (told,) = lines(screen)
    assert (told["messages"], told["matched"]) == (1200, 1200)
    assert yard.redis.info("commandstats")["cmdstat_xrevrange"]["calls"] > 1


def test_a_route_of_another_name_is_meant(yard: Yard, screen: Screen) -> None:
    assert run(["routes", "preview", "ordrs"]) == 2
    assert "routes.yaml has no route ordrs; did you mean orders?" in screen.readouterr().err


def test_explain_says_which_condition_was_not_true(worked: Yard, screen: Screen) -> None:
    path = Path("routes.yaml")
    path.write_text(path.read_text().rstrip() + NEW.replace("enabled: false", "enabled: true"))
    assert run(["explain", "1"]) == 0
    words = " ".join(screen.readouterr().out.split())
    assert "where: properties.revenue > 100 is not true (properties.revenue is null)" in words
    assert run(["explain", "1", "--json"]) == 0
    (told,) = lines(screen)
    (big,) = [one for one in told["routes"] if one["route"] == "big"]
    assert big["where"] == [
        {"condition": "type = 'track'", "true": True, "saw": {"type": "track"}},
        {"condition": "properties.revenue > 100", "true": False, "saw": {"properties.revenue": None}},
    ]
