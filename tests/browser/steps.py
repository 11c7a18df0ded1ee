"""What the browser tests do on the studio's page again and again."""

from __future__ import annotations

from playwright.sync_api import Page

from creative_hub.models import Generation

PROMPT = "A lone car on a desert highway at golden hour"


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f'input[name={name}][value="{value}"]').check(force=True)


def generate(page: Page) -> None:
    page.locator("#generate").click()


def card(page: Page, generation: Generation):
    return page.locator(f"#gen-{generation.pk}")


def forgive(faults: list[str], *names: str) -> None:
    faults[:] = [one for one in faults if not any(name in one for name in (*names, "htmx"))]


def new_cards(page: Page):
    return page.locator("li.card:not(#ghost)")


def lose_the_answer(route):
    route.fetch()
    route.abort()


def polls(page: Page) -> list[str]:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    return seen
