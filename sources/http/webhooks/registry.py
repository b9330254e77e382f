"""The file of webhook endpoints: which provider account belongs to which company, and what it signs with."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sources.errors import SourceError
from sources.http.webhooks import signatures
from sources.http.webhooks.mapped import Naming

Provider = Literal["stripe", "gocardless", "adyen"]
PROVIDERS: tuple[Provider, ...] = ("stripe", "gocardless", "adyen")
_FROM_ENVIRONMENT = "env:"
_ADDRESSES = {
    "stripe": "https://api.stripe.com",
    "gocardless": "https://api.gocardless.com",
    "adyen": "",  # nothing is asked there
}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[endpoint]]` of the file: a provider's account, and the company whose cash it collects.

    `secrets` are those that the provider signs with; two while one replaces the other. Every secret may be
    ``env:NAME``, which stands for that variable of the environment. Without `test`, what a provider's test mode
    sends is skipped: no money has moved. `user` and `password` are for Adyen's basic
    authentication, `access_token` and `api_url` for what is asked at
    GoCardless and Stripe.
    """

    provider: Provider
    company: Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[^|]+$")]
    secrets: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    account_key: str = "account_id"
    invoice_key: str = "invoice_id"
    tolerance_seconds: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    cash_on: Literal["capture", "authorisation"] = "capture"
    test: bool = False
    user: str = ""
    password: str = ""
    access_token: str = ""
    api_url: str = ""

    @property
    def address(self) -> str:
        """Of the provider's API."""
        return self.api_url or _ADDRESSES[self.provider]

    @property
    def naming(self) -> Naming:
        """Where its events belong."""
        return Naming(self.provider, self.company, self.account_key, self.invoice_key)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: list[Endpoint] = []


def read_endpoints(path: Path, environment: Mapping[str, str] = os.environ) -> list[Endpoint]:
    """The endpoints of a file, secrets filled in. Raises ``SourceError`` naming what is wrong and where."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(content, _File).endpoint
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", "Look at api.webhooks_file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SourceError(f"{path} is not right: {error}", "docs/sources/webhooks.md shows one") from error
    return [_filled(endpoint, path, number, environment) for number, endpoint in enumerate(found, start=1)]


def _filled(endpoint: Endpoint, path: Path, number: int, environment: Mapping[str, str]) -> Endpoint:
    def value_of(written: str) -> str:
        if not written.startswith(_FROM_ENVIRONMENT):
            return written
        name = written.removeprefix(_FROM_ENVIRONMENT)
        if not environment.get(name):
            raise SourceError(
                f"endpoint {number} of {path} takes a secret from {name}, which is not set", "Set that variable"
            )
        return environment[name]

    secrets = tuple(value_of(secret) for secret in endpoint.secrets)
    if not all(secrets):
        raise SourceError(f"endpoint {number} of {path} has an empty secret", "Anybody could sign with it")
    if endpoint.provider == "adyen":
        for secret in secrets:
            try:
                signatures.adyen_key(secret)
            except ValueError as error:
                raise SourceError(f"endpoint {number} of {path}: {error}", "Copy it from the webhook's page") from error
    return msgspec.structs.replace(
        endpoint,
        secrets=secrets,
        password=value_of(endpoint.password),
        access_token=value_of(endpoint.access_token),
        api_url=endpoint.api_url.rstrip("/"),
    )
