"""Reads about people and teams, as plain values other apps may keep."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import Q

from workspaces.models import Membership, Workspace
from workspaces.roles import Permission, Role, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person acting in one workspace: what a view needs to authorise and to show."""

    membership_id: int
    user_id: int
    email: str
    role: str
    workspace_id: uuid.UUID
    workspace_name: str
    timezone: str

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)

    @property
    def role_label(self) -> str:
        return Role(self.role).label

    @property
    def may_open_hub(self) -> bool:
        return self.may(Permission.OPEN_HUB)

    @property
    def may_generate(self) -> bool:
        return self.may(Permission.GENERATE)

    @property
    def may_see_others(self) -> bool:
        return self.may(Permission.SEE_OTHERS)


_COLUMNS = (
    "pk",
    "user_id",
    "user__email",
    "role",
    "workspace_id",
    "workspace__name",
    "workspace__timezone",
)


def _member(row: tuple[object, ...]) -> Member:
    names = (
        "membership_id",
        "user_id",
        "email",
        "role",
        "workspace_id",
        "workspace_name",
        "timezone",
    )
    return Member(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]


def memberships_of(*, user_id: int) -> list[Member]:
    """The workspaces a person belongs to, by name."""
    rows = (
        Membership.objects.filter(user_id=user_id, is_active=True)
        .order_by("workspace__name", "pk")
        .values_list(*_COLUMNS)
    )
    return [_member(row) for row in rows]


def member(*, membership_id: int) -> Member:
    """One membership by id, active or not. Raises Membership.DoesNotExist."""
    return _member(Membership.objects.values_list(*_COLUMNS).get(pk=membership_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInfo:
    id: uuid.UUID
    name: str
    slug: str


def workspace(*, slug_or_id: str) -> WorkspaceInfo | None:
    """A workspace by what an operator types, or None."""
    wanted = Q(slug=slug_or_id)
    with suppress(ValueError):  # not an id
        wanted |= Q(pk=uuid.UUID(slug_or_id))
    found = Workspace.objects.filter(wanted).first()
    return WorkspaceInfo(id=found.pk, name=found.name, slug=found.slug) if found else None
