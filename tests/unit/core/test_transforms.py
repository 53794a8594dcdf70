"""What block, allow, set and rename leave of a message, and what is in a sample."""

from typing import Any

import pytest

from receiver.core import transforms
from receiver.core.transforms import NotAnObject


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("user-1", 0.717010742),
        ("user-2", 0.531996999),
        (42, 0.632091934),
        (42.0, 0.632091934),
        ("été", 0.111392187),
        (None, 0.217378951),
    ],
)
def test_a_value_stands_where_segment_says(value: object, at: float) -> None:
    assert transforms.share(value) == pytest.approx(at, abs=5e-10)


def test_any_value_stands_somewhere_and_evenly() -> None:
    assert 0 <= transforms.share({"a": [1, "\ud800", 1e400]}) < 1
    shares = [transforms.share(f"user-{number}") for number in range(2000)]
    assert 0.27 < sum(share < 0.3 for share in shares) / 2000 < 0.33


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("userId", "u1"),
        ("properties.items.1.price", 2),
        ("properties.items.price", None),
        ("properties.items.7", None),
        ("userId.x", None),
        (r"traits.a\.b", 5),
        ("nothing.at.all", None),
    ],
)
def test_a_value_by_its_path(path: str, value: object) -> None:
    message = {"userId": "u1", "properties": {"items": [{"price": 1}, {"price": 2}]}, "traits": {"a.b": 5}}
    assert transforms.value_at(message, path) == value


def event() -> dict[str, Any]:
    return {
        "type": "track",
        "userId": "u1",
        "context": {"ip": "::1", "device": {"id": "d", "model": "m"}},
        "properties": {"products": [{"price": 1, "sku": "a"}, "text", {"price": 2}], "total": 3, "a.b": 4},
    }


def blocked(fields: dict[str, list[str]]) -> dict[str, Any]:
    message = event()
    transforms.block(message, fields)
    return message


def allowed(fields: dict[str, list[str]]) -> dict[str, Any]:
    message = event()
    transforms.allow(message, fields)
    return message


def test_block_takes_keys_out_of_the_named_objects() -> None:
    message = blocked({"": ["userId", "missing"], "context.device": ["id"]})
    assert "userId" not in message
    assert message["context"] == {"ip": "::1", "device": {"model": "m"}}
    assert message["properties"] == event()["properties"]


def test_a_path_that_ends_at_a_list_means_each_object_in_it() -> None:
    assert blocked({"properties.products": ["price"]})["properties"]["products"] == [{"sku": "a"}, "text", {}]
    assert allowed({"properties.products": ["price"]})["properties"]["products"] == [
        {"price": 1},
        "text",
        {"price": 2},
    ]


def test_a_list_is_not_crossed_midway_and_keys_do_not_descend() -> None:
    for fields in ({"properties.products.price": ["x"]}, {"context": ["device.id"]}, {"userId": ["x"]}):
        assert blocked(fields) == event()
    assert blocked({"properties": ["a.b"]})["properties"].keys() == {"products", "total"}


def test_allow_leaves_objects_that_are_not_named_whole() -> None:
    message = allowed({"properties": ["total"], "missing": ["x"], "userId": ["x"]})
    assert message == {**event(), "properties": {"total": 3}}
    assert allowed({"properties": []})["properties"] == {}
    assert allowed({"": ["type"]}) == {"type": "track"}


def test_set_makes_the_objects_on_the_way() -> None:
    message: dict[str, Any] = {"traits": None}
    for path, value in (("traits.a.b", 1), (r"traits.c\.d", 2), ("type", "x")):
        transforms.put(message, path, value)
    assert message == {"traits": {"a": {"b": 1}, "c.d": 2}, "type": "x"}
    with pytest.raises(NotAnObject, match=r"type\.a cannot be set: type is no object"):
        transforms.put(message, "type.a", 1)


def test_rename_moves_what_is_there() -> None:
    message = event()
    transforms.rename(message, "properties.total", "properties.revenue")
    transforms.rename(message, "context.device.id", "deviceId")
    transforms.rename(message, "properties.nothing", "elsewhere")
    transforms.rename(message, "userId.x", "elsewhere")
    assert (message["properties"]["revenue"], message["deviceId"]) == (3, "d")
    assert "total" not in message["properties"]
    assert "elsewhere" not in message
    transforms.put(message, "null", None)
    transforms.rename(message, "null", "still")
    assert message["still"] is None
