"""Names of files in object stores, and the refusal of paths that cannot be read or written."""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qsl, urlsplit

from ingest.errors import OutputError, SourceError
from ingest.io.path_names import check_source_name, check_target_name

# A scheme has two letters or more, so that C:/ is a path. pathlib makes one slash of two.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/")
_REMOTE = re.compile(r"(s3|gs|az|https?)://")
_WEB = ("http", "https")
# Parameters of a URL that give access to whoever has them, as the stores sign them.
_SECRET = re.compile(
    r"sig|token|secret|password|credential|auth|api.?key|access.?key|x-(?:amz|goog|ms)-", re.I
)


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a URL.

    >>> is_url("s3://bucket/out"), is_url("./s3:/out"), is_url("C:/out")
    (True, False, False)
    """
    return _URL.match(os.fspath(path)) is not None


def is_remote(path: str) -> bool:
    """Whether a path is a URL of a kind that can be read, as `with_two_slashes` returns it.

    >>> is_remote("s3://bucket/a"), is_remote("ftp://a.example/a"), is_remote("a.txt")
    (True, False, False)
    """
    return _REMOTE.match(path) is not None


def is_web(path: str) -> bool:
    """Whether a URL names one file of a web server, which has no list of its files.

    >>> is_web("https://a.example/a"), is_web("s3://bucket/a")
    (True, False)
    """
    return path.startswith(tuple(f"{scheme}://" for scheme in _WEB))


def with_two_slashes(path: str | os.PathLike[str]) -> str:
    """A path as text; a URL has its two slashes again, of which pathlib makes one.

    >>> from pathlib import Path
    >>> with_two_slashes(Path("s3://bucket/a")), with_two_slashes("a//b")
    ('s3://bucket/a', 'a//b')
    """
    text = os.fspath(path)
    if (found := _URL.match(text)) and not text.startswith(found[0] + "/"):
        text = found[0] + "/" + text[found.end() :]
    if found:
        scheme = found["scheme"]
        return scheme.lower() + text[len(scheme) :]
    return text


def split_url(url: str) -> tuple[str, str, str]:
    """The scheme, bucket and key of an object. A key is used as it is, without any escapes.

    >>> split_url("s3://bucket/pages/a b.html")
    ('s3', 'bucket', 'pages/a b.html')
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    return scheme, bucket, key


def public_name(url: str) -> str:
    """The name of a source in outputs and messages: the URL without what gives access to it.

    >>> public_name("https://user:word@a.example/a.warc.gz?X-Amz-Signature=1f&X-Amz-Date=2")
    'https://a.example/a.warc.gz'
    >>> public_name("https://a.example/page?id=7"), public_name("s3://bucket/a?token=1")
    ('https://a.example/page?id=7', 's3://bucket/a?token=1')
    """
    if not is_web(url):
        return url
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = "" if any(map(_SECRET.search, names)) else parts.query
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query=query, fragment="").geturl()


def check_source_is_local(path: str | os.PathLike[str]) -> None:
    """Raise if a source is a URL, or has a name that no file can have.

    Raises:
        SourceError: it is or has; the message says what to do.
    """
    if is_url(path):
        url = public_name(with_two_slashes(path))
        reason = "is a URL, which cannot be read"
        if is_remote(url):
            reason += " here: only ingest run and ingest read take URLs"
        raise SourceError(f"{url}: {reason}; {_advice(path, 'download it first')}")
    check_source_name(path)


def check_source_is_readable(path: str | os.PathLike[str]) -> None:
    """Raise if a source is a URL of a kind that is not read, or has a name that no file can have.

    Raises:
        SourceError: it is or has, or it names no bucket; the message says what to do.
    """
    text = with_two_slashes(path)
    if is_url(text) and not is_remote(text):
        advice = _advice(path, "give s3://, gs://, az:// or https://, or download it first")
        raise SourceError(f"{text}: is a URL, which cannot be read; {advice}")
    if is_remote(text) and not split_url(text)[1]:
        raise SourceError(f"{text}: names no bucket or server; give the whole URL")
    if not is_remote(text):
        check_source_name(path)


def check_target_is_local(path: str | os.PathLike[str]) -> None:
    """Raise if an output is a URL, or has a name that no file can have.

    Raises:
        OutputError: it is or has; the message says what to do.
    """
    if is_url(path):
        url = public_name(with_two_slashes(path))
        reason = "is a URL, which cannot be written"
        if is_remote(url) and not is_web(url):
            reason += " here: only the OUT of ingest run may be one"
        advice = _advice(path, "write to a local path, and upload the result")
        raise OutputError(f"{url}: {reason}; {advice}")
    check_target_name(path)


def check_target_is_writable(path: str | os.PathLike[str]) -> None:
    """Raise if the folder that a run writes is a URL of a kind that is not written.

    Raises:
        OutputError: it is, it names a bucket and no folder in it, or no folder can have its name.
    """
    text = with_two_slashes(path)
    if not is_url(text):
        check_target_name(path)
        return
    if not is_remote(text) or is_web(text):
        advice = _advice(path, "give s3://, gs:// or az://, or write to a local path")
        raise OutputError(f"{public_name(text)}: is a URL, which cannot be written; {advice}")
    _, bucket, key = split_url(text)
    if not bucket or not key.strip("/"):
        raise OutputError(
            f"{text}: names no folder in a bucket; give one, such as {text.rstrip('/')}/out"
        )


def _advice(path: str | os.PathLike[str], advice: str) -> str:
    text = os.fspath(path)
    if text.lower().startswith("file:"):
        return f"give its path: {'/' + text[5:].lstrip('/')}"
    return advice
