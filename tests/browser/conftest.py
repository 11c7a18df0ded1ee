"""What the browser tests share: a signed-in page on a live server; console errors are faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from creative_hub.services import reconciliation
from tests.factories import user_of
from workspaces.selectors import Member


@pytest.fixture
def site(committed_db, live_server) -> Iterator[str]:
    """The address of a live server; after the test everything must add up."""
    yield live_server.url
    assert reconciliation.findings() == []


@pytest.fixture
def faults() -> list[str]:
    """Console errors and uncaught exceptions of the test's pages, which it may forgive by name."""
    return []


@pytest.fixture
def signed_in(
    site: str, context: BrowserContext, faults: list[str]
) -> Iterator[Callable[..., Page]]:
    """Open a page as a member, with their session already there."""

    def open_as(member: Member, path: str = "/creative-hub/image-studio", **_: Any) -> Page:
        client = Client()
        client.force_login(user_of(member))
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])
        page = context.new_page()
        watch(page, faults)
        page.goto(site + path)
        return page

    yield open_as
    assert faults == []


def watch(page: Page, faults: list[str]) -> None:
    page.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
    page.on("pageerror", lambda error: faults.append(str(error)))


def _is_fault(message: Any) -> bool:
    # A refused request is an answer the page shows; Chromium also writes it to the console.
    is_refusal = "the server responded with a status of 4" in message.text
    return message.type == "error" and not is_refusal
