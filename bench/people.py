"""Teams with credits, made through the product's own services."""

from __future__ import annotations

import uuid

from django.utils import timezone

from credits import services as credit_services
from workspaces import selectors
from workspaces import services as workspace_services
from workspaces.roles import Role
from workspaces.selectors import Member

CREDITS = 1_000_000_000


def workspace() -> uuid.UUID:
    workspace_id = workspace_services.create_workspace(name="Team", slug=uuid.uuid4().hex)
    credit_services.top_up(
        workspace_id=workspace_id,
        amount=CREDITS,
        reference=f"bench:{workspace_id}",
        now=timezone.now(),
    )
    return workspace_id


def buyer(workspace_id: uuid.UUID) -> Member:
    user_id = workspace_services.create_user(
        email=f"{uuid.uuid4().hex}@bench.test", password=uuid.uuid4().hex
    )
    membership_id = workspace_services.add_member(
        user_id=user_id, workspace_id=workspace_id, role=Role.MEDIABUYER
    )
    return selectors.member(membership_id=membership_id)
