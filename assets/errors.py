"""What the library refuses: codes are stored, sentences are shown."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    DAMAGED = "damaged"
    EXTRA_DATA = "extra_data"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    SIDE_TOO_SHORT = "side_too_short"
    SIDE_TOO_LONG = "side_too_long"
    RATIO = "ratio"
    NO_VIDEO = "no_video"
    CODEC = "codec"
    NO_LENGTH = "no_length"
    TOO_LONG = "too_long"


class RejectedFile(Exception):
    """A file that is not taken into the library. Nothing was stored; sending it again is no use."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class AssetNotFound(Exception):
    """There is no such asset, or it is not this member's to see: the two look the same."""


class ReferenceTaken(Exception):
    """A source reference that made an asset of another workspace. A caller's mistake."""


class StoreUnavailable(OSError):
    """A store over the network did not do what it was asked. Trying again is worth it."""
