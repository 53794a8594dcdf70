"""Random secrets and write keys for sources whose variables are unset, so that a fresh clone works at once.

Only `hookyard dev` makes them. They are kept in the data folder, readable by its owner, and never used by a
receiver that has a Redis of its own: there an unset secret stays an error, not a 401 for every message.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from receiver.core.data_dir import DataDir


def kept(data_dir: Path) -> dict[str, str]:
    """The secrets made so far: variable → value."""
    try:
        found = json.loads(DataDir(data_dir).secrets.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def with_kept(environ: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The environment, and below it the kept secrets."""
    return kept(data_dir) | {name: value for name, value in environ.items() if value}


def make_missing(routes: Path, environ: Mapping[str, str], data_dir: Path) -> list[str]:
    """Give every unset secret of a source in the file a value, once; answers the names made just now.

    Hex digits are at home in headers and URLs, and are a key in base64 too.
    """
    known = with_kept(environ, data_dir)
    missing = [name for name in dict.fromkeys(_secret_names(routes)) if not known.get(name)]
    if missing:
        files = DataDir(data_dir)
        files.make()
        _write(files.secrets, kept(data_dir) | {name: secrets.token_hex(24) for name in missing})
    return missing


def _write(path: Path, values: Mapping[str, str]) -> None:
    """Never readable by others, not even for a moment, and never half written."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(values, opened, indent=2)
    temporary.replace(path)


def _secret_names(routes: Path) -> Iterator[str]:
    """The variables that sources name, secrets and write keys. A file that cannot be read names none: whoever
    validates it says why."""
    try:
        document: Any = YAML(typ="safe").load(routes.read_text())
    except (OSError, UnicodeDecodeError, YAMLError):
        return
    sources = document.get("sources") if isinstance(document, dict) else None
    for source in sources.values() if isinstance(sources, dict) else ():
        if not isinstance(source, dict):
            continue
        verify = source.get("verify")
        schemes = verify if isinstance(verify, list) else [verify]
        for mapping in (*(scheme for scheme in schemes if isinstance(scheme, dict)), source):
            for key, names in mapping.items():
                if str(key).endswith("_env"):
                    yield from filter(_is_name, names if isinstance(names, list) else [names])


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""
