"""Puts the active membership on the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from workspaces import selectors

SESSION_KEY = "workspace_id"


class ActiveWorkspace:
    """The memberships of the person behind a request, read when first asked for."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def members(self) -> list[selectors.Member]:
        user = self._request.user
        return selectors.memberships_of(user_id=user.pk) if user.is_authenticated else []

    @cached_property
    def member(self) -> selectors.Member | None:
        """Who is acting."""
        return selectors.acting(self.members, chosen=self._request.session.get(SESSION_KEY))


class ActiveWorkspaceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspaces = ActiveWorkspace(request)  # type: ignore[attr-defined]
        return self.get_response(request)
