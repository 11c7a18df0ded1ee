"""The camera of the sandbox's clips: which move it makes, and what it sees at each moment.

A clip is one picture, somewhat larger than the frame, and a view that travels over it. A view is
given by shares of the room around it, so that no move can ever leave the picture.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass

from creative_hub.providers.scene.brief import Brief
from creative_hub.providers.scene.paint import smoothstep

# How much larger than the frame a picture is drawn. At a zoom of this much one pixel of the
# picture is one of the frame, so no move goes beyond it.
OVERSCAN = 1.25

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A part of a picture. x, y: its place in the room beside it, -1 (left, top) .. 1.

    zoom: 1 is the whole picture, 1.25 four fifths of its width and height.
    """

    zoom: float
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From one view to another; arc: how far the way bends off the straight line half-way."""

    start: View
    end: View
    arc: View = View(zoom=0.0)


# Named by where the camera goes: when it pans left, what it sees slides to the right.
MOVES = {
    "in": Move(start=View(zoom=1.02), end=View(zoom=1.25)),
    "out": Move(start=View(zoom=1.25), end=View(zoom=1.02)),
    "left": Move(start=View(zoom=1.24, x=0.94), end=View(zoom=1.24, x=-0.94)),
    "right": Move(start=View(zoom=1.24, x=-0.94), end=View(zoom=1.24, x=0.94)),
    "up": Move(start=View(zoom=1.24, y=0.94), end=View(zoom=1.24, y=-0.94)),
    "down": Move(start=View(zoom=1.24, y=-0.94), end=View(zoom=1.24, y=0.94)),
    "rise": Move(start=View(zoom=1.25, y=0.94), end=View(zoom=1.12, y=-0.94)),
    "sink": Move(start=View(zoom=1.12, y=-0.94), end=View(zoom=1.25, y=0.94)),
    "orbit": Move(
        start=View(zoom=1.17, x=-0.94, y=0.1),
        end=View(zoom=1.17, x=0.94, y=0.1),
        arc=View(zoom=0.08, y=-0.2),
    ),
}
# What a clip does whose prompt names no move.
UNNAMED = ("in", "in", "out", "left", "right", "rise", "orbit")

_FILLER = (
    r"(?:(?:very|slow|slowly|gentle|gently|smooth|smoothly|slightly|steadily|straight|to|towards?"
    r"|the|from)\W+)*"
)
_SIDEWAYS = (
    r"\b(?:pan(?:s|ning)?|truck(?:s|ing)?|track(?:s|ing)?|slid(?:e|es|ing)|sweep(?:s|ing)?"
    r"|doll(?:y|ies|ying)|camera\W+mov(?:es?|ing))\W+" + _FILLER
)
_LEVER = r"\b(?:crane|jib|boom|pedestal)s?(?:\W+(?:shot|mov(?:e|es|ing)))?"
_TO_RIGHT = r"\W+to\W+(?:the\W+)?right"
_TO_LEFT = r"\W+to\W+(?:the\W+)?left"
_BACK = r"(?:out|back|away|backwards?)\b"
_CAMERA_WORDS = tuple(
    (re.compile(pattern), move)
    for move, pattern in (
        ("left", rf"{_SIDEWAYS}(?:right{_TO_LEFT}|left(?:wards?)?\b(?!{_TO_RIGHT}))"),
        ("right", rf"{_SIDEWAYS}(?:left{_TO_RIGHT}|right(?:wards?)?\b(?!{_TO_LEFT}))"),
        ("up", rf"\btilt(?:s|ing)?\W+{_FILLER}up"),
        ("down", rf"\btilt(?:s|ing)?\W+{_FILLER}down"),
        ("sink", rf"{_LEVER}\W+{_FILLER}down"),
        ("rise", rf"{_LEVER}\W+{_FILLER}up|\bcrane\b"),
        ("orbit", r"\borbit(?:s|ing)?\b|\barc\W+shot\b|\b(?:circl|rotat)(?:es?|ing)\W+around\b"),
        ("out", rf"\b(?:zoom|pull|push)(?:s|ing)?\W+{_FILLER}{_BACK}"),
        ("out", rf"\bdoll(?:y|ies|ying)\W+{_FILLER}{_BACK}"),
        ("in", rf"\b(?:push|mov)(?:e|es|s|ing)?\W+{_FILLER}(?:in|forwards?|closer)\b"),
        ("in", r"\b(?:doll(?:y|ies|ying)|zoom(?:s|ing)?)\b"),
    )
)


def named_move(prompt: str) -> str | None:
    """The move the prompt names first, as a key of MOVES."""
    found = [
        (match.start(), rank, move)
        for rank, (pattern, move) in enumerate(_CAMERA_WORDS)
        if (match := pattern.search(prompt.lower()))
    ]
    return min(found)[2] if found else None


def over_scene(*, prompt: str, plan: Brief, duration_s: int) -> Camera:
    """The camera for a drawn scene: as the prompt says, else as its seed falls."""
    dice = _dice(plan)
    move = MOVES[named_move(prompt) or dice.choice(UNNAMED)]
    reach = _reach(duration_s)
    half = _between(move.start, move.end, 0.5)
    return Camera(
        move=Move(
            start=_between(half, move.start, reach),
            end=_between(half, move.end, reach),
            arc=move.arc,
        ),
        duration_s=duration_s,
        dice=dice,
    )


def over_frame(*, prompt: str, plan: Brief, duration_s: int) -> Camera:
    """The camera for a start frame: it begins at the whole picture, and pushes in unless told."""
    name = named_move(prompt) or "in"
    end = MOVES[name].end
    reach = _reach(duration_s)
    # At zoom 1 there is no room beside the view, so any x and y begin at the whole picture.
    move = Move(
        start=View(zoom=1.0, x=end.x, y=end.y), end=View(zoom=1 + 0.22 * reach, x=end.x, y=end.y)
    )
    if name == "out":
        # There is nothing around the start frame to pull back to: go in first, and come back.
        move = Move(start=View(zoom=1.0), end=View(zoom=1.0), arc=View(zoom=0.16 * reach))
    return Camera(move=move, duration_s=duration_s, dice=_dice(plan))


class Camera:
    """Where a move is at each moment, with the sway of a hand."""

    def __init__(self, *, move: Move, duration_s: int, dice: random.Random) -> None:
        self._move = move
        self._duration_s = duration_s
        self._sway = tuple(
            (dice.uniform(0.10, 0.17), dice.uniform(0, 6.28), dice.uniform(0.28, 0.42))
            for _ in range(2)
        )
        # The side from which the light fades, -1 or 1; see `film`.
        self.shade_from = dice.choice((-1, 1))

    def box(self, *, t: float, size: tuple[int, int]) -> Box:
        """The view as left, top, right, bottom in pixels of a picture of this size.

        t: 0 at the first frame .. 1 at the last.
        """
        width, height = size
        eased = 0.65 * t + 0.35 * smoothstep(0, 1, t)
        view = _between(self._move.start, self._move.end, eased)
        bend = 4 * eased * (1 - eased)
        zoom = view.zoom + bend * self._move.arc.zoom
        sway_x, sway_y = (self._swing(i, t * self._duration_s) for i in range(2))
        x = view.x + bend * self._move.arc.x + sway_x
        y = view.y + bend * self._move.arc.y + sway_y
        seen_wide, seen_tall = width / zoom, height / zoom
        left = (width - seen_wide) / 2 * (1 + max(-1.0, min(1.0, x)))
        top = (height - seen_tall) / 2 * (1 + max(-1.0, min(1.0, y)))
        # Rounding must not leave the picture by a billionth of a pixel.
        return left, top, min(left + seen_wide, width), min(top + seen_tall, height)

    def _swing(self, axis: int, at_s: float) -> float:
        slow_hz, phase, fast_hz = self._sway[axis]
        slow = math.sin(2 * math.pi * slow_hz * at_s + phase)
        return 0.042 * slow + 0.018 * math.sin(2 * math.pi * fast_hz * at_s + 2 * phase)


def _dice(plan: Brief) -> random.Random:
    return random.Random(f"{plan.seed}/camera")  # noqa: S311 - a camera move, not secrets


def _reach(duration_s: int) -> float:
    """How much of a move fits into a clip at a calm pace, 0..1."""
    return min(1.0, 0.35 + 0.065 * duration_s)


def _between(start: View, end: View, share: float) -> View:
    return View(
        zoom=start.zoom + (end.zoom - start.zoom) * share,
        x=start.x + (end.x - start.x) * share,
        y=start.y + (end.y - start.y) * share,
    )
