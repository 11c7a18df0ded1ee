"""Refusals made before our own code is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

API_PREFIX = "/api/"


class RefusalsMiddleware:
    """A body that is too large is a 413, a NUL in an address a 400, and the API refuses in JSON.

    Django answers a large body with 400 when something first reads it, has no limit for files, and
    its own 404, 405 and CSRF pages are HTML. PostgreSQL takes no NUL anywhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _drop_impossible_session(request)
        response = self._refused(request) or self.get_response(request)
        if request.path.startswith(API_PREFIX):
            response.headers.setdefault("Cache-Control", "no-store")
        is_ours = response.headers.get("Content-Type", "").startswith("application/json")
        if not request.path.startswith(API_PREFIX) or response.status_code < 400 or is_ours:
            return response
        refusal = JsonResponse({"error": _words(response.status_code)}, status=response.status_code)
        if "Allow" in response.headers:
            refusal["Allow"] = response["Allow"]
        return refusal

    def _refused(self, request: HttpRequest) -> HttpResponse | None:
        if "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse("No address has a NUL.\n", content_type="text/plain", status=400)
        try:
            length = int(request.headers.get("content-length") or 0)
        except ValueError:
            return None
        limit = settings.UPLOAD_MAX_BYTES.get(request.path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if limit is None or length <= limit:
            return None
        return HttpResponse(
            f"This is too large: {length:,} bytes came, at most {limit:,} are taken.\n",
            content_type="text/plain",
            status=413,
        )


def _drop_impossible_session(request: HttpRequest) -> None:
    """A session key we never gave is no session, rather than a question to the database."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not re.fullmatch(r"[a-z0-9]*", key):
        del request.COOKIES[settings.SESSION_COOKIE_NAME]


def _words(status: int) -> str:
    return {404: "Not found", 413: "The body is too large"}.get(status, HTTPStatus(status).phrase)
