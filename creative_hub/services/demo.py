"""The demo: two workspaces and one person per role, for trying everything out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credits import services as credit_services
from workspaces import services as people
from workspaces.roles import Role

DEMO_CREDITS = 25_000
BUYER_CAP = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    email: str
    what: str


LOGINS = (
    Login(email="owner@demo.test", what="owner of Demo"),
    Login(email="buyer@demo.test", what=f"media buyer, at most {BUYER_CAP:,} credits a month"),
    Login(email="viewer@demo.test", what="viewer: looks, does not generate"),
    Login(email="finance@demo.test", what="finance: billing only"),
    Login(email="stranger@demo.test", what="owner of another workspace"),
    Login(email="admin@demo.test", what="platform staff: /admin/"),
)


def seed(*, password: str, now: datetime) -> None:
    """Make the demo's workspaces, people, caps and credits. Idempotent; tops up once."""
    demo = people.create_workspace(name="Demo", slug="demo")
    other = people.create_workspace(name="Stranger & Co", slug="stranger")
    members = (
        ("owner@demo.test", demo, Role.OWNER),
        ("buyer@demo.test", demo, Role.MEDIABUYER),
        ("viewer@demo.test", demo, Role.VIEWER),
        ("finance@demo.test", demo, Role.FINANCE),
        ("stranger@demo.test", other, Role.OWNER),
    )
    for workspace_id, name in ((demo, "demo"), (other, "stranger")):
        credit_services.top_up(
            workspace_id=workspace_id,
            amount=DEMO_CREDITS,
            reference=f"demo-seed:{name}",
            note="Demo credits",
            now=now,
        )
    for email, workspace_id, role in members:
        user_id = people.create_user(email=email, password=password)
        membership_id = people.add_member(user_id=user_id, workspace_id=workspace_id, role=role)
        if role == Role.MEDIABUYER:
            credit_services.set_member_cap(membership_id=membership_id, cap=BUYER_CAP)
    people.create_user(email="admin@demo.test", password=password, is_superuser=True)
