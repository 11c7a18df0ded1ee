"""What the JSON API refuses, and who may ask."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja.security import SessionAuth

from creative_hub.api.schemas import ImageOrder, VideoOrder
from creative_hub.catalogue import Kind
from creative_hub.forms import FORMS
from workspaces.access import DISPLACED, SAFE_METHODS
from workspaces.roles import Permission
from workspaces.selectors import Member

# A refusal names at most this many fields.
FIELDS_NAMED_MAX = 20


class Problem(Exception):
    """A refusal with its status and body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("error"))
        self.status = status
        self.body = body


class MemberAuth(SessionAuth):
    """Signed in by session, and the role in the active workspace has the permission.

    Runs before the body is looked at, so that a refused role learns nothing about it. The member
    becomes `request.auth`. Raises Problem 403.
    """

    def __init__(self, permission: Permission) -> None:
        super().__init__(csrf=True)
        self.permission = permission

    def _get_key(self, request: HttpRequest) -> str | None:
        # Signed out is a 401 whether or not a CSRF token came along.
        return super()._get_key(request) if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Member | None:
        if not super().authenticate(request, key):
            return None
        member: Member | None = request.workspaces.member  # type: ignore[attr-defined]
        if member is None or not member.may(self.permission):
            role = member.role if member else "no workspace"
            raise Problem(403, {"error": f"Your role ({role}) may not {self.permission}."})
        if request.workspaces.is_displaced and request.method not in SAFE_METHODS:  # type: ignore[attr-defined]
            raise Problem(403, {"error": f"You may not {DISPLACED}."})
        return member


class MemberRequest(HttpRequest):
    """A request behind MemberAuth."""

    auth: Member


def invalid(fields: dict[str, list[str]]) -> Problem:
    """The 400 of the contract: what is wrong, field by field."""
    return Problem(400, {"error": "Invalid input", "fields": fields})


def type_errors(request: HttpRequest, errors: list[dict[str, Any]]) -> Problem:
    """The same 400 for a body whose fields are unknown, missing or of the wrong JSON type."""
    kind = Kind.VIDEO if "/video-studio/" in request.path else Kind.IMAGE
    fields: dict[str, list[str]] = {}
    for error in errors[:FIELDS_NAMED_MAX]:
        # A body that is no object has no field to name.
        name = str(error["loc"][-1])
        name = "body" if name == "order" else name
        fields.setdefault(name, []).append(_type_sentence(name, error, kind))
    return invalid(fields)


_TYPE_SENTENCES = {
    "string_type": "This must be text.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "model_attributes_type": "The body must be a JSON object.",
    "model_type": "The body must be a JSON object.",
}


def _type_sentence(name: str, error: dict[str, Any], kind: Kind) -> str:
    flaw = error["type"]
    if flaw == "extra_forbidden":
        return f"There is no field {name} here. The fields are {_listed_fields(kind)}."
    if flaw == "missing":
        required = FORMS[kind].declared_fields.get(name)
        return str(required.error_messages["required"]) if required else "This is required."
    return _TYPE_SENTENCES.get(flaw, str(error.get("msg", "This is not valid.")))


def _listed_fields(kind: Kind) -> str:
    *most, last = (VideoOrder if kind == Kind.VIDEO else ImageOrder).model_fields
    return f"{', '.join(most)} and {last}"


def json_problem(_: HttpRequest, problem: Problem) -> HttpResponse:
    """Turn a Problem into its answer."""
    return JsonResponse(problem.body, status=problem.status)
