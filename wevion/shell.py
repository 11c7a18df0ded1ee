"""What every page's frame shows: who is signed in, where, and the balance."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.functional import SimpleLazyObject

from creative_hub import selectors

THEMES = ("dark", "light")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html; each part is read only by a template that shows it."""
    workspaces = getattr(request, "workspaces", None)
    member = workspaces.member if workspaces else None
    theme = request.COOKIES.get("theme", "")
    return {
        "member": member,
        "members": workspaces.members if workspaces else [],
        "balance": SimpleLazyObject(
            lambda: selectors.balance(workspace_id=member.workspace_id) if member else None
        ),
        "theme": theme if theme in THEMES else "",
    }


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look when a page names no icon, as the admin's do."""
    return redirect(static("img/icon.svg"))
