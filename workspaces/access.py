"""Who gets past the door of a view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from workspaces import selectors
from workspaces.middleware import SESSION_KEY, ActiveWorkspace
from workspaces.roles import Permission
from workspaces.selectors import Member

P = ParamSpec("P")
SAFE_METHODS = ("GET", "HEAD")
DISPLACED = "act in the workspace this page was opened in: you no longer belong to it"


class MemberRequest(HttpRequest):
    """A request behind `member_required`."""

    htmx: HtmxDetails
    workspaces: ActiveWorkspace
    member: Member


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def member_of_session(session: SessionBase) -> Member | None:
    """Who is acting, in one statement and without `request.user`.

    None is no refusal: it says that the session does not certainly stand (signed out, another
    password since, an older secret key), and that the whole stack must decide.
    """
    user_id, session_hash = session.get(auth.SESSION_KEY), session.get(auth.HASH_SESSION_KEY)
    if not user_id or not session_hash:
        return None
    if session.get(auth.BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    members = selectors.memberships_of_session(user_id=int(user_id), session_hash=session_hash)
    return selectors.acting(members, chosen=session.get(SESSION_KEY))


def member_required(permission: Permission) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Let in members of the active workspace whose role has the permission.

    Signed out: a page goes to sign-in and comes back; an htmx request gets a bare 401, because a
    redirect would paint the sign-in page into a fragment. The wrong role is a 403.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapped(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.htmx:
                    return HttpResponse(status=401)
                return redirect_to_login(request.get_full_path())
            member = request.workspaces.member
            if member is None or not member.may(permission):
                raise PermissionDenied(permission.value)
            if request.workspaces.is_displaced:
                # The page they came from is another team's; reading shows them where they are now.
                request.workspaces.settle()
                if request.method not in SAFE_METHODS:
                    raise PermissionDenied(DISPLACED)
            request.member = member
            return view(request, *args, **kwargs)

        return wrapped

    return decorate
