"""The pictures a member may choose from, newest first, page by page."""

from datetime import timedelta

import pytest
from django.db import connection

from assets import selectors
from tests.assets import pictures, videos
from tests.assets.makers import ingest_for
from tests.factories import NOW, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db


def picture_of(member, minutes: int = 0):
    return ingest_for(member, pictures.png(30 + minutes, 30), now=NOW + timedelta(minutes=minutes))


def test_pictures_come_newest_first_and_clips_not_at_all():
    owner = make_member(role=Role.OWNER)
    old, new = picture_of(owner, 1), picture_of(owner, 2)
    ingest_for(owner, videos.clip(), accept=("video",), now=NOW + timedelta(minutes=3))
    page = selectors.newest_images(member=owner)
    assert (page.images, page.next_cursor) == ([new, old], "")


def test_pages_follow_each_other_without_gap_or_repeat():
    owner = make_member(role=Role.OWNER)
    # Several of one moment: their ids decide.
    made = [picture_of(owner, minutes) for minutes in (0, 1, 1, 1, 1, 2, 3)]
    seen, cursor, pages = [], "", 0
    while not pages or cursor:
        page = selectors.newest_images(member=owner, cursor=cursor, size=2)
        seen += page.images
        cursor, pages = page.next_cursor, pages + 1
    assert pages == 4
    assert seen == sorted(made, key=lambda one: (one.created_at, one.id), reverse=True)


def test_a_picture_made_meanwhile_does_not_shift_the_next_page():
    owner = make_member(role=Role.OWNER)
    made = [picture_of(owner, minutes) for minutes in range(4)]
    first = selectors.newest_images(member=owner, size=2)
    picture_of(owner, 9)
    second = selectors.newest_images(member=owner, cursor=first.next_cursor, size=2)
    assert first.images + second.images == made[::-1]


@pytest.mark.parametrize(
    ("role", "sees_others"),
    [(Role.OWNER, True), (Role.ADMIN, True), (Role.MANAGER, False), (Role.MEDIABUYER, False)],
)
def test_a_member_sees_what_their_role_may(role, sees_others):
    owner = make_member(role=Role.OWNER)
    member = make_member(role=role, workspace_id=owner.workspace_id)
    theirs, own = picture_of(owner, 1), picture_of(member, 2)
    picture_of(make_member(), 3)
    seen = selectors.newest_images(member=member).images
    assert seen == ([own, theirs] if sees_others else [own])


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "_",
        "2026-07-02T12:00:00+00:00",
        "2026-07-02T12:00:00_0b5c5a3e70a84c8e9d5e3d1f0c9a2b11",
        "0001-01-01T00:00:00+23:59_0b5c5a3e70a84c8e9d5e3d1f0c9a2b11",
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor):
    with pytest.raises(selectors.BadCursor):
        selectors.newest_images(member=make_member(), cursor=cursor)


@pytest.mark.parametrize(
    ("role", "index"),
    [
        (Role.OWNER, "asset_newest_images"),
        (Role.MEDIABUYER, "asset_newest_images_of_member"),
    ],
)
def test_a_page_is_read_from_an_index_without_sorting(role, index, django_assert_num_queries):
    owner = make_member(role=Role.OWNER)
    member = make_member(role=role, workspace_id=owner.workspace_id)
    for minutes in range(3):
        picture_of(member, minutes)
    cursor = selectors.newest_images(member=member, size=1).next_cursor
    with connection.cursor() as database:
        # A table of few rows is read whole otherwise.
        database.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    with django_assert_num_queries(1) as queries:
        selectors.newest_images(member=member, cursor=cursor)
    with connection.cursor() as database:
        database.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in database.fetchall())
    assert f"Index Scan using {index} " in plan
    assert "Sort" not in plan
