"""The registry of schemes: the name in routes.yaml → how to verify."""

from typing import Any

from receiver.core.verify_options import SchemeName
from receiver.schemes import basic, bearer, generic_hmac, header, none, segment, standard_webhooks
from receiver.schemes.base import Scheme

SCHEMES: dict[SchemeName, Scheme[Any]] = {
    "segment": segment.SCHEME,
    "header": header.SCHEME,
    "basic": basic.SCHEME,
    "bearer": bearer.SCHEME,
    "hmac": generic_hmac.SCHEME,
    "standard-webhooks": standard_webhooks.SCHEME,
    "none": none.SCHEME,
}
