"""Bytes of a stored file over HTTP: whole, one range, or "you have it already".

Django serves no ranges, Safari plays no video without them, and the packages that add them were
last released in 2018 or serve static files only. Source: RFC 9110 sections 13 and 14.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import IO, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

_CHUNK_BYTES = 2**18
# The most that a player gets for `bytes=N-`. It opens with that, fills its buffer and stops reading
# while it is paused: a whole clip in the answer would hold a web thread until somebody presses
# play. RFC 9110 allows it: section 14.2 expects that a server may send a portion of what was asked
# first and the client asks for the rest, and by 15.3.7 a 206 describes itself, so that a client
# understands one that satisfies its request in part only. Chromium comes back for the rest.
OPEN_RANGE_BYTES: Final = 2**20
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.ASCII | re.IGNORECASE)


def serve(
    *,
    request: HttpRequest,
    open_file: Callable[[], IO[bytes]],
    size_bytes: int,
    media_type: str,
    etag: str,
    open_range_bytes: int | None = None,
) -> HttpResponseBase:
    """Answer GET or HEAD with a file that is opened for the first byte and closed after the last.

    etag: strong, with its quotes. A single range is answered with 206, one that cannot be
    satisfied with 416; several ranges, other units and malformed ones are ignored, as the RFC
    allows, and the whole file is sent. open_range_bytes: the most that one range without an end is
    answered with; None for all there is, as who resumes a download expects.
    """
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        wanted = _asked_range(request, size_bytes, etag, open_range_bytes)
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


def _asked_range(
    request: HttpRequest, size_bytes: int, etag: str, open_range_bytes: int | None
) -> range | None:
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
        if last:
            return everything[int(first) : int(last) + 1]
        return everything[int(first) :][:open_range_bytes]
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
