"""Whether the environment holds what routes.yaml names."""

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.core.findings import Findings, texts
from receiver.core.verify_options import webhook_key
from receiver.core.yaml_nodes import Path

_REDIS = ("redis://", "rediss://", "unix://")


def check_variables(path: Path, value: Any, environ: Mapping[str, str], findings: Findings) -> None:
    """Note the variables that are not set. `value` is the name of one, or a list, or anything else."""
    for place, name in variables(path, value):
        found = environ.get(name)
        if not found:
            findings.error(place, f"the environment variable {name} is not set")
        elif not _is_text(found):
            findings.error(place, f"the environment variable {name} holds bytes that are not UTF-8")
        elif found != found.strip():
            findings.warn(place, f"the value of {name} begins or ends with white space: is that meant?")


def check_webhook_keys(path: Path, names: Any, environ: Mapping[str, str], findings: Findings) -> None:
    """Note the variables whose value is no secret of Standard Webhooks."""
    for place, name in variables(path, names):
        value = environ.get(name)
        try:
            if value:
                webhook_key(value)
        except ValueError:
            findings.error(place, f"the value of {name} is no secret of Standard Webhooks: whsec_ and base64")


def check_redis_urls(path: Path, names: Any, environ: Mapping[str, str], findings: Findings) -> None:
    """Note the variables whose value is no URL of a Redis."""
    for place, name in variables(path, names):
        if not environ.get(name, _REDIS[0]).startswith(_REDIS):
            findings.error(place, f"the value of {name} is no URL of a Redis, such as redis://host:6379/0")


def check_header_values(path: Path, names: Any, environ: Mapping[str, str], findings: Findings) -> None:
    """Note the variables whose value cannot stand in a header."""
    for place, name in variables(path, names):
        if any(not " " <= character <= "~" for character in environ.get(name, "").strip()):
            findings.error(place, f"the value of {name} cannot stand in a header")


def _is_text(value: str) -> bool:
    """Bytes that are not UTF-8 come from the environment as lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def variables(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """The names in `value` that can be those of variables, and where each stands."""
    names = [(path, value)] if isinstance(value, str) else [((*path, at), name) for at, name in texts(value)]
    return ((place, name) for place, name in names if name.isidentifier())
