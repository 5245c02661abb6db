"""Say in one line what went wrong with an object store, and what to do."""

from __future__ import annotations

import re
from typing import Any

from ingest.io.urls import public_name, split_url

_STATUS = re.compile(r"status code: (\d{3})([ A-Za-z-]*)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_MISSING = "no such file"
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

    def __reduce__(self) -> tuple[Any, ...]:
        # workers send it to the main process
        return _restore, (self.filename, self.strerror, self.is_outage)


def _restore(url: str, reason: str, is_outage: bool) -> StorageError:
    return StorageError(url, reason, is_outage=is_outage)


def describe(error: Exception, url: str) -> OSError:
    """The error to raise for one of obstore. Its text is not used: it may contain a signature."""
    is_known = isinstance(error, FileNotFoundError) or "obstore" in type(error).__module__
    if isinstance(error, StorageError) or not is_known:
        raise error
    reason, is_outage = _reason(error, url)
    if isinstance(error, FileNotFoundError) and reason == _MISSING:
        missing = FileNotFoundError(None, reason)
        missing.strerror, missing.filename = reason, public_name(url)
        return missing
    return StorageError(url, reason, is_outage=is_outage)


def _reason(error: Exception, url: str) -> tuple[str, bool]:
    """What went wrong, and whether the same request may succeed later."""
    scheme, bucket, _ = split_url(url)
    kind, text = type(error).__name__, str(error)
    status, code = status_of(error)
    is_outage = status.startswith("5") or status == "429" or code.startswith("Expired")
    if "NoSuchBucket" in text or "ContainerNotFound" in text:
        reason = f"there is no bucket {bucket}; check its name and the endpoint"
    elif isinstance(error, FileNotFoundError):
        reason = _MISSING
    elif "169.254.169.254" in text or "metadata.google" in text:
        public = "--storage-option skip_signature=true"
        reason = f"no keys were found; set {KEYS[scheme]}, or for a public bucket {public}"
    elif status in ("401", "403"):
        reason = f"access was denied ({code or status}); check {KEYS.get(scheme, 'the URL')}"
    elif status == "301" or "redirect without" in text:
        reason = "the bucket is in another region; set AWS_REGION"
    elif kind == "NotSupportedError":
        reason = "the server cannot send parts of it; download it first"
    elif status:
        reason = f"the server answered {status} {code}".rstrip()
        reason += "; try again later" if is_outage else ""
    elif "InvalidContentType" in text:  # the answer to a TLS handshake
        reason = "the server does not encrypt; use http:// in its URL or endpoint"
    elif kind == "GenericError":
        is_outage = True
        reason = "the server cannot be reached, or cut the connection; check the network and the "
        reason += "endpoint"
    else:
        reason = f"cannot be used ({kind})"
    return reason, is_outage


def status_of(error: Exception) -> tuple[str, str]:
    """The status of the answer of a server and its code for the reason; empty without an answer."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return status[1] if status else "", code[1] if code else status[2].strip() if status else ""
