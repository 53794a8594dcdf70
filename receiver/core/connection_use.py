"""What a step needs of the connection it names; `connections_check` looks at the connections themselves."""

from collections.abc import Mapping
from typing import Any

from receiver.core.connections import CREDENTIALS, Api
from receiver.core.findings import Findings
from receiver.core.yaml_nodes import Path


def check_use(path: Path, name: Any, api: Api | None, data: Mapping[str, Any], findings: Findings) -> None:
    """Note what keeps a step from calling `api` by the connection it names at `path`. None: the step brings
    its own credential."""
    if not isinstance(name, str):
        return
    connections = data.get("connections")
    if not isinstance(connections, dict) or name not in connections:
        findings.unknown(path, "no connection is called", name, connections or ())
        return
    connection = connections[name]
    if api is not None and isinstance(connection, dict) and CREDENTIALS[api] not in connection:
        findings.error(path, f"this step needs {CREDENTIALS[api]} on connection {name}")
