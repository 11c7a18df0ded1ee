"""Small makers of people and credits, through the services themselves."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from credits import selectors as credit_selectors
from credits import services as credit_services
from workspaces import selectors as people
from workspaces import services as people_services
from workspaces.models import User
from workspaces.roles import Role
from workspaces.selectors import Member

NOW = datetime(2026, 7, 2, 12, 0, tzinfo=UTC)


def make_workspace(*, credits: int = 0, timezone: str = "UTC", name: str = "Team") -> uuid.UUID:
    workspace_id = people_services.create_workspace(
        name=name, slug=f"team-{uuid.uuid4().hex[:12]}", timezone=timezone
    )
    if credits:
        credit_services.top_up(
            workspace_id=workspace_id, amount=credits, reference=f"t:{workspace_id}", now=NOW
        )
    return workspace_id


def make_member(
    *,
    role: Role = Role.MEDIABUYER,
    workspace_id: uuid.UUID | None = None,
    credits: int = 0,
    cap: int | None = None,
    timezone: str = "UTC",
) -> Member:
    """A person of their own in a workspace (a new one unless given)."""
    workspace_id = workspace_id or make_workspace(credits=credits, timezone=timezone)
    user_id = people_services.create_user(
        email=f"{role}-{uuid.uuid4().hex[:8]}@demo.test", password="a password"
    )
    membership_id = people_services.add_member(
        user_id=user_id, workspace_id=workspace_id, role=role
    )
    if cap is not None:
        credit_services.set_member_cap(membership_id=membership_id, cap=cap)
    return people.member(membership_id=membership_id)


def user_of(member: Member) -> User:
    return User.objects.get(pk=member.user_id)


def balance_of(member: Member) -> tuple[int, int]:
    """(available, held)"""
    balance = credit_selectors.balance(workspace_id=member.workspace_id)
    return balance.available, balance.held
