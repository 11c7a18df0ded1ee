"""The poll that finds nothing new: nearly every request there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from creative_hub import selectors
from creative_hub.views import context
from workspaces.access import member_of_session
from workspaces.roles import Permission


class UnchangedPollMiddleware:
    """Answers it before most of the stack has run, in two statements.

    It has one answer only, the 204 that the view would give. Whoever is not certainly signed in,
    allowed and up to date goes on to the view, which refuses, redirects or draws.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == self._path and request.method == "GET" and _is_up_to_date(request):
            return context.no_store(HttpResponse(status=204))
        return self.get_response(request)

    @cached_property
    def _path(self) -> str:
        # Not in __init__: middleware is made before the addresses are known.
        return reverse("creative_hub:poll")


def _is_up_to_date(request: HttpRequest) -> bool:
    since = context.known_revision(request)
    if since is None or request.GET.get("line"):
        return False
    member = member_of_session(request.session)
    if member is None or not member.may(Permission.OPEN_HUB):
        return False
    return selectors.revision(workspace_id=member.workspace_id) == since
