"""The frame of the pages: theme, switcher, small screens, accessibility, and the palette itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import watch
from tests.creative_hub.engine import finish, turn
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import make_member, make_workspace
from workspaces import services
from workspaces.roles import Role

TOKENS = Path(settings.BASE_DIR) / "static/css/base.css"
GROUNDS = ("bg-0", "bg-1", "bg-2", "bg-3")
# Text on grounds, at least 4.5 to 1; what only draws a border or a shape, at least 3 to 1.
TEXTS = ("text-1", "text-2", "text-3", "accent", "info", "ok", "warn", "bad")
PAIRS = (
    ("on-accent", "accent"),
    ("on-accent", "accent-hi"),
    ("text-1", "accent-bg"),
    ("text-2", "accent-bg"),
    ("text-1", "warn-bg"),
    ("text-1", "bad-bg"),
    ("text-1", "info-bg"),
    ("text-1", "ok-bg"),
    ("on-stage", "stage"),
    ("on-stage-2", "stage"),
)


def colours(theme: str) -> dict[str, str]:
    """Token name to colour in a theme."""
    found = {}
    for name, value in re.findall(r"--([a-z0-9-]+): ([^;]+);", TOKENS.read_text()):
        pair = re.fullmatch(r"light-dark\((#\w{6}), (#\w{6})\)", value)
        if pair:
            found[name] = pair[1 if theme == "light" else 2]
        elif re.fullmatch(r"#\w{6}", value):
            found[name] = value
    return found


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_palette_is_legible(theme):
    palette = colours(theme)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(PAIRS)
    weak = {
        (text, ground): round(contrast(palette[text], palette[ground]), 2)
        for text, ground in pairs
        if contrast(palette[text], palette[ground]) < 4.5
    }
    assert weak == {}
    assert min(contrast(palette["control"], palette[ground]) for ground in GROUNDS) >= 3
    assert min(contrast(palette["focus"], palette[ground]) for ground in GROUNDS) >= 7


def axe_findings(page: Page) -> list[str]:
    report = Axe().run(page).response
    return [f"{one['id']}: {node['html']}" for one in report["violations"] for node in one["nodes"]]


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_login_and_the_empty_studio_pass_axe(site, page, signed_in, theme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{site}/account/login/")
    assert axe_findings(page) == []

    studio = signed_in(make_member(credits=1000))
    studio.set_viewport_size({"width": width, "height": 900})
    studio.emulate_media(color_scheme=theme, reduced_motion="reduce")
    expect(studio.get_by_text("Your first frame goes here")).to_be_visible()
    assert axe_findings(studio) == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_video_studio_passes_axe_with_a_frame_clips_picker_and_viewer(signed_in, theme, width):
    buyer = make_member(credits=25_000)
    picture = submit(buyer, now=timezone.now(), aspect_ratio="4:5", resolution="720p")
    finish(picture)
    clip = submit_clip(buyer, now=timezone.now(), provider="veo_3_1", duration=4)
    finish(clip)
    refused = submit_clip(buyer, now=timezone.now(), prompt="No [sandbox:fail=content_refused]")
    turn(timezone.now)
    submit_clip(buyer, now=timezone.now())
    page = signed_in(buyer, f"/creative-hub/video-studio?start_frame={picture.jobs.get().asset_id}")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.locator('[name=provider][value="veo_3_1"]').check(force=True)
    expect(page.locator("#cost-figure")).to_have_text("1,760 credits")
    expect(page.locator(f"#gen-{refused.pk}")).to_contain_text("No credits charged")
    assert axe_findings(page) == []
    page.locator("#pick-frame").click()
    expect(page.locator("#viewer .tile")).to_have_count(1)
    assert axe_findings(page) == []
    page.keyboard.press("Escape")
    page.locator(f"#gen-{clip.pk} a.frame").click()
    expect(page.locator("#player")).to_be_visible()
    assert axe_findings(page) == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/creative-hub/image-studio",
        "/creative-hub/video-studio",
        "/creative-hub/image-video",
        "/account/password/change/",
    ],
)
def test_nothing_scrolls_sideways_at_320_pixels(signed_in, path):
    page = signed_in(make_member(credits=1000))
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(page.url.split("/creative-hub")[0] + path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize(
    "path",
    ["/creative-hub/image-studio", "/creative-hub/video-studio", "/account/password/change/"],
)
def test_text_of_twice_the_size_does_not_scroll_sideways(signed_in, path, width):
    buyer = make_member(credits=25_000)
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    submit(buyer, now=timezone.now())
    submit_clip(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.set_viewport_size({"width": width, "height": 844})
    page.context.new_cdp_session(page).send(
        "Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}}
    )
    page.goto(page.url.split("/creative-hub")[0] + path)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    logo = page.locator(".brand img").bounding_box()
    assert logo
    assert logo["width"] == logo["height"] > 0


@pytest.mark.browser
@pytest.mark.parametrize("studio", ["image", "video"])
def test_on_a_phone_targets_are_tall_enough_and_the_prompt_is_not_zoomed_in_on(signed_in, studio):
    buyer = make_member(credits=5000)
    made = submit(buyer, now=timezone.now(), resolution="720p")
    finish(made)
    submit_clip(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url.replace("image-studio", f"{studio}-studio"))
    if studio == "video":
        page.goto(f"{page.url}?start_frame={made.jobs.get().asset_id}")
    assert page.locator("#prompt").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, .opt")]
            .filter(e => e.checkVisibility() && !e.closest("p, .skip, .pop"))
            .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    )
    assert small == []


@pytest.mark.browser
def test_the_theme_changes_at_once_and_stays(signed_in):
    page = signed_in(make_member(credits=1000))
    page.emulate_media(color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(11, 12, 14)"

    page.locator("#account summary").click()
    page.get_by_role("button", name="Light").click()

    assert page.evaluate(ground) == "rgb(246, 245, 242)"
    expect(page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    page.reload()
    assert page.evaluate(ground) == "rgb(246, 245, 242)"
    page.locator("#account summary").click()
    page.get_by_role("button", name="System").click()
    assert page.evaluate(ground) == "rgb(11, 12, 14)"


@pytest.mark.browser
def test_the_switcher_leads_to_the_other_workspace(signed_in):
    buyer = make_member(credits=1000)
    services.add_member(
        user_id=buyer.user_id, workspace_id=make_workspace(name="Zephyr"), role=Role.VIEWER
    )
    page = signed_in(buyer)
    expect(page.locator("#credit-meter")).to_contain_text("1,000")

    page.locator("#workspace summary").click()
    page.get_by_role("button", name="Zephyr").click()

    expect(page.locator("#workspace summary")).to_contain_text("Zephyr")
    expect(page.locator("#credit-meter")).to_contain_text("0 credits")
    expect(page.get_by_text("your role is viewer: you can look but not generate")).to_be_visible()
    expect(page.locator("#generate")).to_have_count(0)


@pytest.mark.browser
def test_menus_close_by_escape_and_by_a_click_elsewhere(signed_in):
    page = signed_in(make_member(credits=1000))
    menu = page.locator("#account")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()

    menu.locator("summary").click()
    page.get_by_role("heading", name="Results").click()
    expect(menu).not_to_have_attribute("open", "")


@pytest.mark.browser
def test_the_skip_links_lead_to_the_prompt_and_to_the_results(signed_in):
    page = signed_in(make_member(credits=1000))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to prompt")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_be_focused()


@pytest.mark.browser
def test_a_refused_sign_in_says_so_and_keeps_the_way(site, page, faults):
    watch(page, faults)
    page.goto(f"{site}/creative-hub/video-studio")
    page.locator("#id_login").fill("nobody@demo.test")
    page.get_by_label("Password", exact=True).fill("not it")
    page.keyboard.press("Enter")

    expect(page.locator("#error-summary")).to_be_focused()
    expect(page).to_have_title("Error: Sign in · Wevion")
    assert page.locator("input[name=next]").input_value() == "/creative-hub/video-studio"
    assert faults == []


@pytest.mark.browser
@pytest.mark.parametrize("studio", ["image", "video"])
def test_the_studio_on_a_phone_keeps_generate_in_reach_and_covers_no_focused_control(
    signed_in, studio
):
    page = signed_in(make_member(credits=1000), f"/creative-hub/{studio}-studio")
    page.set_viewport_size({"width": 390, "height": 640})
    expect(page.locator("#generate")).to_be_in_viewport()
    for _ in range(12):
        page.keyboard.press("Tab")
        covered = page.evaluate(
            """() => { const control = document.activeElement.getBoundingClientRect();
                const bar = document.querySelector(".genbar").getBoundingClientRect();
                return !document.activeElement.closest(".genbar, .genfoot")
                    && control.top < bar.bottom && control.bottom > bar.top + 1; }"""
        )
        assert not covered, page.evaluate("document.activeElement.outerHTML")
