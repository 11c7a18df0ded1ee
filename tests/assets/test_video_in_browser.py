"""A real Chromium plays a clip through open ranges that are answered in part, and seeks in it."""

import re
import time
from typing import Any

import pytest
from django.conf import settings

from assets import ranges
from tests.assets import videos
from tests.assets.makers import client_of, ingest_for
from tests.factories import make_member
from workspaces.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed_db")]


@pytest.fixture
def owner():
    return make_member(role=Role.OWNER)


@pytest.fixture
def page(context, live_server, owner):
    session = client_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    return context.new_page()


def opened(page, live_server, asset) -> list[Any]:
    """The clip by its own address: Chromium puts a player around it. Its answers from then on."""
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{live_server.url}/media/{asset.id}")
    wait_until(page, "video.readyState >= 2")
    return answers


def wait_until(page, is_so: str) -> None:
    """Asked from here: the page is in a sandbox where no script of its own runs."""
    deadline = time.monotonic() + 20
    while not of_video(page, is_so):
        assert time.monotonic() < deadline, is_so
        page.wait_for_timeout(50)


def of_video(page, expression: str) -> Any:
    return page.evaluate(
        f"(() => {{const video = document.querySelector('video'); return {expression}}})()"
    )


def test_a_long_clip_plays_and_seeks_through_parts_of_a_megabyte(page, live_server, owner):
    data = videos.large(size_bytes=12_000_000, duration_s=20)
    answers = opened(page, live_server, ingest_for(owner, data, accept=("video",)))
    assert of_video(page, "video.duration") == 20

    for at in (17, 2.5, 18.5):
        of_video(page, f"video.currentTime = {at}")
        wait_until(page, "!video.seeking && video.readyState >= 2")
        assert of_video(page, "video.currentTime") >= at
    of_video(page, "(video.muted = true, void video.play())")
    wait_until(page, "video.ended")

    assert of_video(page, "video.error") is None
    parts = [answer for answer in answers if answer.status == 206]
    for answer in parts:
        assert re.fullmatch(r"bytes=\d+-", answer.request.headers["range"])
        first, last, size = map(int, re.findall(r"\d+", answer.headers["content-range"]))
        assert size == len(data)
        assert last - first < ranges.OPEN_RANGE_BYTES
    assert len(parts) > 3


def test_a_turned_clip_has_the_sides_that_we_measured(page, live_server, owner):
    asset = ingest_for(owner, videos.clip(320, 180, rotation=90), accept=("video",))
    opened(page, live_server, asset)
    shown = of_video(page, "[video.videoWidth, video.videoHeight]")
    assert shown == [asset.width, asset.height] == [180, 320]
