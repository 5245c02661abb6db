"""The clients of object stores and web servers, and what they say of an object.

Only this module and `ingest.io.storage` use obstore, the optional package for that.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from ingest.errors import ConfigError, MissingExtraError
from ingest.io.storage_errors import KEYS, StorageError

_RETRY_SECONDS = 60  # how long a request is tried again, and how often; the pauses double
_MAX_RETRIES = 8
_DOCS = "https://developmentseed.org/obstore/"
# Options to suggest: those of obstore that are set most often.
_NAMES = {
    "s3": ("access_key_id", "secret_access_key", "session_token", "region", "endpoint",
           "skip_signature", "virtual_hosted_style_request", "request_payer",
           "unsigned_payload", "server_side_encryption", "sse_kms_key_id", "role_arn"),
    "gs": ("service_account", "service_account_key", "application_credentials", "bearer_token",
           "skip_signature", "base_url"),
    "az": ("account_name", "account_key", "client_id", "client_secret", "tenant_id", "sas_key",
           "endpoint", "skip_signature", "use_emulator", "use_azure_cli"),
}  # fmt: skip
_OWN_OPTIONS = {"s3": "aws_", "gs": "google_", "az": "azure_"}


class Meta(NamedTuple):
    """What a store says of an object.

    Attributes:
        size: in bytes.
        tag: its ETag, or the time it was last modified; another one means other content.
        version: what a conditional request compares.
        modified: when it was written, in seconds by the clock of the store.
    """

    size: int
    tag: str
    version: dict[str, Any] | None = None
    modified: float = 0.0

    @property
    def stamp(self) -> tuple[int, str]:
        """What shows whether the object has changed."""
        return self.size, self.tag


def to_meta(meta: Mapping[str, Any]) -> Meta:
    """What obstore says of an object."""
    version = {name: meta[name] for name in ("e_tag", "version") if meta[name]}
    modified = meta["last_modified"]
    return Meta(meta["size"], meta["e_tag"] or modified.isoformat(), version, modified.timestamp())


def own_options(scheme: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options that are not for another kind of store only.

    >>> own_options("s3", {"aws_region": "eu-west-1", "google_service_account": "a.json"})
    {'aws_region': 'eu-west-1'}
    """
    others = tuple(prefix for name, prefix in _OWN_OPTIONS.items() if name != scheme)
    return {key: value for key, value in options.items() if not key.lower().startswith(others)}


def open_store(scheme: str, bucket: str, options: dict[str, str]) -> Any:
    """The client of a bucket.

    Raises:
        MissingExtraError: obstore is not installed.
        ConfigError: there is no such option.
        StorageError: the options, or those of the environment, do not fit.
    """
    stores = _import_stores()
    url = f"{scheme}://{bucket}"
    try:
        kind = {"s3": stores.S3Store, "gs": stores.GCSStore, "az": stores.AzureStore}[scheme]
        return kind(bucket, config=options, **_client(uses_plain_http(url, options)))
    except Exception as error:
        # the messages of obstore may contain values of options
        if type(error).__name__ == "UnknownConfigurationKeyError":
            raise ConfigError(_describe_unknown(scheme, str(error), options)) from None
        raise StorageError(url, f"cannot be used; check {KEYS[scheme]}") from None


def _describe_unknown(scheme: str, text: str, options: Iterable[str]) -> str:
    named = next((key for key in options if f"'{key.lower()}'" in text.lower()), None)
    message = f"--storage-option {named or '/'.join(options)}: {scheme}:// has no such option"
    key = (named or "").lower().removeprefix(_OWN_OPTIONS[scheme])
    close = difflib.get_close_matches(key, _NAMES[scheme], 1)
    return f"{message}; did you mean {close[0]}?" if close else f"{message}; see {_DOCS}"


def open_web_store(url: str) -> Any:
    """The client of one file on a web server.

    Raises:
        MissingExtraError: obstore is not installed.
        StorageError: the URL is not valid.
    """
    try:
        return _import_stores().HTTPStore.from_url(url, **_client(url.startswith("http:")))
    except MissingExtraError:
        raise
    except Exception:
        raise StorageError(url, "is not a valid URL") from None


def _import_stores() -> Any:
    try:
        import obstore.store
    except ImportError as error:
        raise MissingExtraError("cloud", "obstore") from error
    return obstore.store


def _client(plain_http: bool) -> dict[str, Any]:
    seconds = timedelta(seconds=_RETRY_SECONDS)
    return {
        "client_options": {"allow_http": True} if plain_http else {},
        "retry_config": {"max_retries": _MAX_RETRIES, "retry_timeout": seconds},
    }


def uses_plain_http(url: str, options: Mapping[str, str]) -> bool:
    """Whether the user gave an address without encryption, such as that of a server nearby."""
    named = {**os.environ, **options}
    endpoints = (
        value
        for key, value in named.items()
        if any(word in key.lower() for word in ("endpoint", "google_base_url")) or key == "base_url"
    )
    return url.startswith("http:") or any(value.startswith("http:") for value in endpoints)
