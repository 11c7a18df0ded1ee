"""Reads about people and teams, as plain values other apps may keep."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from workspaces.models import Membership, User, Workspace
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


# Every request asks this, polls above all: as text it costs a third of what building it takes.
_MEMBERSHIPS = """
    SELECT m.id, u.id, u.email, m.role, w.id, w.name, w.timezone, u.password
    FROM workspaces_membership m
    JOIN workspaces_user u ON u.id = m.user_id
    JOIN workspaces_workspace w ON w.id = m.workspace_id
    WHERE u.id = %s AND u.is_active AND m.is_active
    ORDER BY w.name, m.id
"""


def _member(row: tuple[Any, ...]) -> Member:
    membership_id, user_id, email, role, workspace_id, name, timezone = row[:7]
    return Member(
        membership_id=membership_id,
        user_id=user_id,
        email=email,
        role=role,
        workspace_id=workspace_id,
        workspace_name=name,
        timezone=timezone,
    )


def _memberships(user_id: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERSHIPS, [user_id])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def memberships_of(*, user_id: int) -> list[Member]:
    """The workspaces a person belongs to, by name; none once they may not sign in any more."""
    return [_member(row) for row in _memberships(user_id)]


def memberships_of_session(*, user_id: int, session_hash: str) -> list[Member]:
    """The same, and none unless the session began with the password the person has now."""
    rows = _memberships(user_id)
    if not rows or not constant_time_compare(
        session_hash, User(password=rows[0][7]).get_session_auth_hash()
    ):
        return []
    return [_member(row) for row in rows]


def acting(members: list[Member], *, chosen: str | None) -> Member | None:
    """The membership of the workspace chosen in the switcher, else the first by name."""
    for member in members:
        if str(member.workspace_id) == chosen:
            return member
    return members[0] if members else None


def member(*, membership_id: int) -> Member:
    """One membership by id, active or not. Raises Membership.DoesNotExist."""
    columns = (
        "pk",
        "user_id",
        "user__email",
        "role",
        "workspace_id",
        "workspace__name",
        "workspace__timezone",
    )
    return _member(Membership.objects.values_list(*columns).get(pk=membership_id))


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
