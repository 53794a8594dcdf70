"""/livez: the process answers. /readyz: it can keep its promise, by an explicit list of checks.

Without the admin token /readyz shows its status only; with it, what each check found.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from receiver.core.errors import HookError
from receiver.core.settings import Secret
from receiver.intake import GOOD_ANSWER

log = logging.getLogger("hookyard.health")

CHECK_TIMEOUT_S = 2.0


class Check(NamedTuple):
    """One thing that should hold for this process to be sent traffic."""

    name: str
    run: Callable[[], Awaitable[str | None]]
    """None when all is well, else one sentence: what is wrong and what to do. May raise HookError."""
    vital: bool = True
    """False: worth showing, but no reason to send traffic elsewhere."""


class Health:
    """The two endpoints."""

    def __init__(self, checks: Sequence[Check], token: Secret | None) -> None:
        self._checks = checks
        self._token = token

    async def livez(self, request: Request) -> Response:
        return Response(GOOD_ANSWER, media_type="application/json")

    async def readyz(self, request: Request) -> Response:
        found = await asyncio.gather(*(self._found(check) for check in self._checks))
        failed = [
            check.name for check, problem in zip(self._checks, found, strict=True) if problem and check.vital
        ]
        content: dict[str, object] = {"success": not failed}
        if failed:
            content |= {"code": "not_ready", "message": "Not ready; the detail needs the admin token."}
        if self._may_see(request):
            content["checks"] = {
                check.name: problem or "ok" for check, problem in zip(self._checks, found, strict=True)
            }
            if failed:
                content["message"] = f"Not ready: {', '.join(failed)}."
        return Response(json.dumps(content), 503 if failed else 200, _headers(failed), "application/json")

    async def _found(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return await check.run()
        except TimeoutError:
            return f"no answer within {CHECK_TIMEOUT_S:.0f} seconds"
        except HookError as error:
            return error.message
        except Exception as error:
            log.exception("health check failed", extra={"check": check.name})
            return f"the check itself failed: {type(error).__name__}"

    def _may_see(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token.reveal().encode())


def _headers(failed: Sequence[str]) -> dict[str, str] | None:
    return {"retry-after": "1"} if failed else None
