"""What each role may do: the one place that knows (table: docs/contract.md)."""

from __future__ import annotations

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MANAGER = "manager", "Manager"
    MEDIABUYER = "mediabuyer", "Media buyer"
    FINANCE = "finance", "Finance"
    VIEWER = "viewer", "Viewer"


class Permission(StrEnum):
    OPEN_HUB = "open the Creative Hub"
    GENERATE = "generate and upload"
    SEE_OTHERS = "see others' generations and assets"
    SEE_BILLING = "see the billing page"
    SET_CAPS = "set caps"


_MAY: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: frozenset({Permission.OPEN_HUB, Permission.GENERATE}),
    Role.MEDIABUYER: frozenset({Permission.OPEN_HUB, Permission.GENERATE}),
    Role.FINANCE: frozenset({Permission.SEE_BILLING}),
    Role.VIEWER: frozenset({Permission.OPEN_HUB}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether a member with this role may do this. An unknown role may do nothing."""
    return permission in _MAY.get(role, frozenset())
