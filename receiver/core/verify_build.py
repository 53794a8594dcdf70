"""Makes the records of `receiver.core.verify_options` of a `verify` in which no problem was found."""

from collections.abc import Mapping

from receiver.core import units
from receiver.core import verify_models as models
from receiver.core import verify_options as options
from receiver.core.settings import Secret

_Keys = (
    models.VerifySegmentKeys
    | models.VerifyHeaderKeys
    | models.VerifyBasicKeys
    | models.VerifyBearerKeys
    | models.VerifyHmacKeys
    | models.VerifyStandardWebhooksKeys
    | models.VerifyNoneKeys
)


def built(keys: _Keys | list[_Keys] | None, environ: Mapping[str, str]) -> tuple[options.Verify, ...]:
    """In the order of the file. Every variable named must be in `environ`."""
    every = keys if isinstance(keys, list) else [keys]
    return tuple(_one(each, environ) for each in every if each is not None)


def secrets(variables: str | list[str] | None, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """The values of one variable, of several or of none."""
    names = [variables] if isinstance(variables, str) else variables or []
    return tuple(Secret(environ[name]) for name in names)


def _one(keys: _Keys, environ: Mapping[str, str]) -> options.Verify:
    match keys:
        case models.VerifySegmentKeys():
            return options.VerifySegment(secrets=secrets(keys.secret_env, environ), batch=keys.batch)
        case models.VerifyHeaderKeys():
            return options.VerifyHeader(name=keys.name, secrets=secrets(keys.secret_env, environ))
        case models.VerifyBasicKeys():
            return options.VerifyBasic(
                usernames=secrets(keys.username_env, environ),
                passwords=secrets(keys.password_env, environ) or options.NO_PASSWORD,
            )
        case models.VerifyBearerKeys():
            return options.VerifyBearer(secrets=secrets(keys.secret_env, environ))
        case models.VerifyHmacKeys():
            return _hmac(keys, environ)
        case models.VerifyStandardWebhooksKeys():
            return options.VerifyStandardWebhooks(
                secrets=secrets(keys.secret_env, environ), tolerance_s=units.seconds(keys.tolerance)
            )
        case models.VerifyNoneKeys():
            return options.VerifyNone()


def _hmac(keys: models.VerifyHmacKeys, environ: Mapping[str, str]) -> options.VerifyHmac:
    return options.VerifyHmac(
        header=keys.header,
        secrets=secrets(keys.secret_env, environ),
        algorithm=keys.algorithm,
        encoding=keys.encoding,
        prefix=keys.prefix,
        timestamp_header=keys.timestamp_header,
        signed=keys.signed or ("{timestamp}.{body}" if keys.timestamp_header else "{body}"),
        tolerance_s=units.seconds(keys.tolerance) if keys.tolerance else options.DEFAULT_TOLERANCE_S,
    )
