"""What makes sense in `connections` beyond its shape; takes data of any shape, like `routes_check`."""

from collections.abc import Mapping
from typing import Any

from receiver.core.connections import CREDENTIALS, Api
from receiver.core.environ_check import check_variables
from receiver.core.findings import Findings
from receiver.core.routes_models import ConnectionKeys
from receiver.core.yaml_nodes import Path


def check_connection(
    path: Path, connection: dict[str, Any], environ: Mapping[str, str], findings: Findings
) -> None:
    """Note what is wrong with one connection."""
    for api, key in CREDENTIALS.items():
        check_variables((*path, key), connection.get(key), environ, findings)
        _check_address(path, api, connection, findings)
    token = connection.get(CREDENTIALS["public"])
    value = environ.get(token, "") if isinstance(token, str) else ""
    if any(not "!" <= character <= "~" for character in value.strip()):
        findings.error((*path, CREDENTIALS["public"]), f"the value of {token} cannot stand in a header")
    _check_space(path, connection, findings)
    if not any(key in connection for key in CREDENTIALS.values()) and _is_spelled_right(connection):
        findings.error(path, f"has no credential; give it one or more of {', '.join(CREDENTIALS.values())}")


def _check_address(path: Path, api: Api, connection: dict[str, Any], findings: Findings) -> None:
    """Only what the connection can use has to have an address."""
    region = connection.get("region")
    if not isinstance(region, dict) or not region.keys() <= CREDENTIALS.keys():
        return
    if CREDENTIALS[api] in connection and api not in region:
        findings.error((*path, "region"), f"needs {api}: {CREDENTIALS[api]} has to be sent somewhere")


def _check_space(path: Path, connection: dict[str, Any], findings: Findings) -> None:
    if CREDENTIALS["profile"] in connection and "space_id" not in connection:
        findings.error(
            (*path, CREDENTIALS["profile"]), "needs space_id beside it: the space whose profiles are read"
        )
    if "space_id" in connection and CREDENTIALS["profile"] not in connection:
        findings.error((*path, "space_id"), f"is for the Profile API, which needs {CREDENTIALS['profile']}")


def _is_spelled_right(connection: dict[str, Any]) -> bool:
    """A misspelled key is a problem of its own, and may be the credential that is missed."""
    return connection.keys() <= ConnectionKeys.model_fields.keys()
