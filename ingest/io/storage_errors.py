"""Say in one line what went wrong with an object store, and what to do."""

from __future__ import annotations

import re

from ingest.errors import ConfigError
from ingest.io.urls import public_name, split_url

_STATUS = re.compile(r"status code: (\d{3})([ A-Za-z-]*)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_SERVICE_ACCOUNT",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}


class StorageError(OSError):
    """A request failed.

    Attributes:
        is_outage: whether the same request may succeed later: the network or the server failed.
    """

    def __init__(self, url: str, reason: str, *, is_outage: bool = False) -> None:
        super().__init__(None, reason)
        self.strerror, self.filename = reason, public_name(url)
        self.is_outage = is_outage

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def describe(error: Exception, url: str) -> OSError:
    """The error to raise for one of obstore. Its text is not used: it may contain a signature."""
    if isinstance(error, (OSError, ConfigError)):
        if not isinstance(error, FileNotFoundError) or isinstance(error, StorageError):
            raise error
        return _describe_missing(error, url)
    scheme, text = split_url(url)[0], str(error)
    status, code = status_of(error)
    if "NoSuchBucket" in text or "ContainerNotFound" in text:
        return _no_bucket(url)
    if "169.254.169.254" in text or "metadata.google" in text:
        return StorageError(url, f"no keys were found; set {KEYS[scheme]}, or for a public bucket "
                            "--storage-option skip_signature=true")  # fmt: skip
    if status in ("401", "403"):
        what = f"access was denied ({code or status})"
        keys = f"; check {KEYS[scheme]}" if scheme in KEYS else "; check the URL"
        return StorageError(url, what + keys, is_outage=code.startswith("Expired"))
    if type(error).__name__ == "NotSupportedError":
        return StorageError(url, "the server cannot send parts of it; download it first")
    if status:
        is_outage = status.startswith("5") or status == "429" or code.startswith("Expired")
        advice = "; try again later" if is_outage else ""
        return StorageError(url, f"the server answered {status} {code}".rstrip() + advice,
                            is_outage=is_outage)  # fmt: skip
    if type(error).__name__ == "GenericError":
        return StorageError(url, "the server cannot be reached, or cut the connection; check the "
                            "network and the endpoint", is_outage=True)  # fmt: skip
    return StorageError(url, f"cannot be used ({type(error).__name__})")


def _describe_missing(error: Exception, url: str) -> OSError:
    if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
        return _no_bucket(url)
    missing = FileNotFoundError(None, "no such file")
    missing.strerror, missing.filename = "no such file", public_name(url)
    return missing


def _no_bucket(url: str) -> StorageError:
    bucket = split_url(url)[1]
    return StorageError(url, f"there is no bucket {bucket}; check its name and the endpoint")


def status_of(error: Exception) -> tuple[str, str]:
    """The status of the answer of a server and its code for the reason; empty without an answer."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return status[1] if status else "", code[1] if code else status[2].strip() if status else ""
