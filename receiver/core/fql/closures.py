"""What a statement becomes: a function of a message, and the ways to join such functions."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Message(Protocol):
    """A parsed message: any mapping of its top-level fields, or whatever else can look one up.

    To lay something over a message, such as the outputs of steps, `{**message, "steps": outputs}` will do:
    it copies one level only.
    """

    def get(self, name: str, /) -> Any:
        """The value of a top-level field; None where there is none."""
        ...


Evaluate = Callable[[Message], Any]


def all_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Whether all are boolean true."""
    if len(parts) == 1:
        (only,) = parts
        return lambda message: only(message) is True
    if len(parts) == 2:
        one, other = parts
        return lambda message: one(message) is True and other(message) is True

    def all_hold(message: Message) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs as much as three conditions
            if part(message) is not True:
                return False
        return True

    return all_hold


def any_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Whether one is boolean true."""

    def one_holds(message: Message) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if part(message) is True:
                return True
        return False

    return one_holds
