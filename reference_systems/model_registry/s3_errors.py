"""What an S3 server's refusals mean, and how they are told in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["code_of", "gone", "is_taken", "told"]


def code_of(error: ClientError) -> str:
    """Return the server's code, such as ``NoSuchKey``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def gone(error: ClientError) -> bool:
    """Tell whether there is no such bucket, key or version."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 404 or code_of(error) in ("NoSuchKey", "NoSuchBucket", "NoSuchVersion")


def is_taken(error: ClientError) -> bool:
    """Tell whether ``If-None-Match: *`` was refused; 409 where another writer is at it."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 412 or code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict")


def told(error: Exception) -> str:
    """Return an error as one line, with no credential in it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("Error", {})
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
        text = f"{found.get('Code', '')}: {found.get('Message', '')} ({status})"
    else:
        text = f"{type(error).__name__}: {error}"
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:297]}..."
