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
        """Who is acting. The first answer is kept, so that a new membership changes nothing."""
        session = self._request.session
        member = selectors.acting(self.members, chosen=session.get(SESSION_KEY))
        if member and not self.is_displaced and SESSION_KEY not in session:
            session[SESSION_KEY] = str(member.workspace_id)
        return member

    @cached_property
    def is_displaced(self) -> bool:
        """The workspace this session acted in is no longer the person's.

        Whatever they send now was meant for it: it must not be done, and paid, in another one.
        """
        chosen = self._request.session.get(SESSION_KEY)
        ids = {str(member.workspace_id) for member in self.members}
        return bool(chosen) and chosen not in ids

    def settle(self) -> None:
        """Go on in the workspace that `member` fell back to."""
        if self.is_displaced and self.member:
            self._request.session[SESSION_KEY] = str(self.member.workspace_id)


class ActiveWorkspaceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspaces = ActiveWorkspace(request)  # type: ignore[attr-defined]
        return self.get_response(request)
