"""The registry of signature schemes: the name in routes.yaml → how to verify."""

from receiver.schemes import none, segment
from receiver.schemes.base import Scheme

SCHEMES: dict[str, Scheme] = {
    "segment": segment.verify,
    "none": none.verify,
}
