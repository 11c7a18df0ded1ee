"""The two choices of the top bar: in which workspace one acts, and how the pages look."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from workspaces.middleware import SESSION_KEY, ActiveWorkspace

THEMES = ("dark", "light", "")  # empty: as the device says
THEME_AGE_S = 60 * 60 * 24 * 365


class SwitchRequest(HttpRequest):
    workspaces: ActiveWorkspace


@require_POST
@login_required
def switch(request: SwitchRequest) -> HttpResponse:
    """Act in another of one's own workspaces from now on."""
    chosen = request.POST.get("workspace_id", "")
    if chosen not in {str(member.workspace_id) for member in request.workspaces.members}:
        raise Http404
    request.session[SESSION_KEY] = chosen
    return HttpResponseRedirect(_back(request))


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember dark, light or, by an empty value, what the device says."""
    chosen = request.POST.get("theme", "")
    response = HttpResponseRedirect(_back(request))
    response.set_cookie(
        "theme",
        chosen if chosen in THEMES else "",
        max_age=THEME_AGE_S,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _back(request: HttpRequest) -> str:
    """Where the person came from, if that is a page of ours."""
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    is_path = asked.startswith("/") and asked.isascii() and asked.isprintable()
    return asked if is_ours and is_path else resolve_url(settings.LOGIN_REDIRECT_URL)
