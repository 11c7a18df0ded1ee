"""What a page or a fragment of the video studio says, read from its markup."""

from __future__ import annotations

import re


def checked(page: str) -> dict[str, str]:
    """The radio that is on, by group."""
    found = {}
    for tag in re.findall(r'<input type="radio"[^>]*\schecked[^>]*>', page):
        name, value = (re.search(rf'{what}="([^"]*)"', tag) for what in ("name", "value"))
        assert name
        assert value
        found[name[1]] = value[1]
    return found


def prompt_of(page: str) -> str:
    found = re.search(r'<textarea id="prompt"[^>]*>(.*?)</textarea>', page, re.S)
    assert found
    return found[1]


def frame_of(page: str) -> str:
    """The id of the start frame; empty when there is none."""
    found = re.search(r'id="start-frame-id" name="start_frame_id" value="([^"]*)"', page)
    assert found
    return found[1]


def announced(page: str) -> str:
    """What is read aloud; empty when nothing is."""
    found = re.search(r'<div id="announce"[^>]*>(.*?)</div>', page, re.S)
    return found[1] if found else ""
