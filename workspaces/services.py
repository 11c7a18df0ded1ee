"""Changes to people and teams."""

from __future__ import annotations

import uuid

from django.db import transaction

from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role


def create_workspace(*, name: str, slug: str, timezone: str = "UTC") -> uuid.UUID:
    """Make a workspace, or return the one that already has this slug. Idempotent by slug."""
    workspace, _ = Workspace.objects.get_or_create(
        slug=slug, defaults={"name": name, "timezone": timezone}
    )
    return workspace.pk


def create_user(*, email: str, password: str, is_superuser: bool = False) -> int:
    """Make a person, or give the existing one this password. Idempotent by e-mail."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        make = User.objects.create_superuser if is_superuser else User.objects.create_user
        return make(email, password).pk
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user.pk


@transaction.atomic
def add_member(*, user_id: int, workspace_id: uuid.UUID, role: Role) -> int:
    """Put a person into a workspace with a role; a second call changes the role."""
    membership, _ = Membership.objects.update_or_create(
        user_id=user_id, workspace_id=workspace_id, defaults={"role": role, "is_active": True}
    )
    return membership.pk
