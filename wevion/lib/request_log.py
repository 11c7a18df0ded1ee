"""The request log: method and path, never a query, where prompts and signatures travel."""

from __future__ import annotations

from django.http import HttpRequest
from django_structlog import middlewares


class RequestMiddleware(middlewares.RequestMiddleware):
    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"
