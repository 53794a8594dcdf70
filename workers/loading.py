"""Handlers by name: `module.sub:function` → something to call, or an error that says what to correct.

Modules are looked for as Python does it; who starts the process puts the user's folder on `sys.path`.
"""

import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec

from receiver.core.errors import HookError


class HandlerNotFound(HookError):
    """The handler cannot be imported, or cannot be called as a handler."""

    code = "handler_not_found"


class Handler(msgspec.Struct, frozen=True):
    """A function of the user's, ready to be called with `(message, context)`."""

    target: str
    call: Callable[..., Any]
    is_async: bool
    takes_context: bool

    def __call__(self, message: object, context: object) -> Any:
        return self.call(message, context) if self.takes_context else self.call(message)


def load(target: str) -> Handler:
    """Import and look at a handler; imported once per process. Raises HandlerNotFound."""
    module_name, colon, name = target.partition(":")
    if not colon or not name.isidentifier():
        raise HandlerNotFound(f"handler {target!r}: write module.sub:function")
    function = _function(_module(module_name, target), name, target)
    return Handler(target, function, _is_async(function), _takes_context(function, target))


def _module(name: str, target: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            meant = _meant(error.name, _siblings(error.name))
            raise HandlerNotFound(f"handler {target!r}: no module {error.name}{meant}") from None
        raise HandlerNotFound(f"handler {target!r}: {_import_failure(name, error)}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's module may raise anything while it is imported
        raise HandlerNotFound(f"handler {target!r}: {_import_failure(name, error)}") from error


def _import_failure(name: str, error: BaseException) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"importing {name} failed: {type(error).__name__}: {error} ({place.filename}, line {place.lineno})"


def _siblings(name: str) -> list[str]:
    """Modules that stand where `name` was looked for."""
    parent, _, _ = name.rpartition(".")
    if not parent:
        return [module.name for module in pkgutil.iter_modules()]
    path = getattr(sys.modules.get(parent), "__path__", [])
    return [f"{parent}.{module.name}" for module in pkgutil.iter_modules(path)]


def _function(module: ModuleType, name: str, target: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if found is None:
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise HandlerNotFound(f"handler {target!r}: {module.__name__} has no {name}{_meant(name, public)}")
    if not callable(found) or inspect.isclass(found):
        raise HandlerNotFound(f"handler {target!r}: {name} is no function, but {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    # inspect looks at functions only: of an object with __call__ it is the method that counts.
    return any(inspect.iscoroutinefunction(one) for one in (function, type(function).__call__))


def _takes_context(function: Callable[..., Any], target: str) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C do not say
        return True
    for arguments in (2, 1):
        try:
            signature.bind(*range(arguments))
        except TypeError:
            continue
        return arguments == 2
    raise HandlerNotFound(f"handler {target!r}: takes {signature}, not (message, context)")


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
