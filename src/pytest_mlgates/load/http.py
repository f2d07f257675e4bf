"""Requests over a well-kept asyncio client, opened by the open loop of ``callables``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pytest_mlgates.load.subjects import Http

__all__ = ["HttpError", "client"]


class HttpError(Exception):
    """An answer that is an error."""


@asynccontextmanager
async def client(subject: Http, seconds: float) -> AsyncIterator[Callable[[Any], Awaitable[bytes]]]:
    """Give a function that asks for one input and returns the body of a right answer.

    Connections are kept open; redirects are not followed; the environment's proxies are not used.
    """
    import aiohttp

    connector = aiohttp.TCPConnector(limit=subject.connections)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=seconds),
        headers=dict(subject.headers),
        auto_decompress=False,
        skip_auto_headers=("User-Agent",),
    ) as session:
        method, url, right = subject.method, subject.url, subject.right

        async def ask(item: Any) -> bytes:
            data = subject.body(item)
            async with session.request(method, url, data=data, allow_redirects=False) as answer:
                body: bytes = await answer.read()
                if answer.status >= 400 or (right is not None and not right(answer.status, body)):
                    raise HttpError(f"status {answer.status}")
                return body

        yield ask
