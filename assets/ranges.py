"""Bytes of a stored file over HTTP: whole, one range, or "you have it already".

Django serves no ranges, Safari plays no video without them, and the packages that add them were
last released in 2018 or serve static files only. Source: RFC 9110 sections 13 and 14.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import IO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

_CHUNK_BYTES = 2**18
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.ASCII | re.IGNORECASE)


def serve(
    *,
    request: HttpRequest,
    open_file: Callable[[], IO[bytes]],
    size_bytes: int,
    media_type: str,
    etag: str,
) -> HttpResponseBase:
    """Answer GET or HEAD with a file that is opened for the first byte and closed after the last.

    etag: strong, with its quotes. A single range is answered with 206, one that cannot be
    satisfied with 416; several ranges, other units and malformed ones are ignored, as the RFC
    allows, and the whole file is sent.
    """
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        wanted = _asked_range(request, size_bytes, etag)
        if wanted is None:
            response = _response(request, open_file, range(size_bytes))
        elif wanted:
            response = _response(request, open_file, wanted)
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size_bytes}"
        else:
            response = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            response["Content-Range"] = f"bytes */{size_bytes}"
        response["Content-Type"] = media_type
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return response


def _asked_range(request: HttpRequest, size_bytes: int, etag: str) -> range | None:
    """The asked part; empty when there is no such part; None when the whole is to be sent."""
    header = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    # Ranges are defined for GET only.
    if request.method != "GET" or header is None:
        return None
    # A date never matches: no Last-Modified is sent.
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    first, last = header.groups()
    everything = range(size_bytes)
    if first:
        if last and int(last) < int(first):
            return None
        return everything[int(first) : int(last) + 1 if last else None]
    if last:
        return everything[-int(last) :] if int(last) else range(0)
    return None


def _response(
    request: HttpRequest, open_file: Callable[[], IO[bytes]], wanted: range
) -> HttpResponseBase:
    is_head = request.method == "HEAD"
    response = HttpResponse() if is_head else StreamingHttpResponse(_chunks(open_file, wanted))
    response["Content-Length"] = str(len(wanted))
    return response


def _chunks(open_file: Callable[[], IO[bytes]], wanted: range) -> Iterator[bytes]:
    with open_file() as file:
        file.seek(wanted.start)
        left = len(wanted)
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
