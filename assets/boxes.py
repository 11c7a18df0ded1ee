"""The boxes of an MP4 or MOV file, followed to its last byte before a demuxer sees it.

Two things only these walks can tell. Where the clip ends: a demuxer never looks at what stands
behind it. And how much memory the index will take: libav believes a count in a table of a few
bytes and makes an entry for each (measured: 8 kB that declare 80 million samples took 4.7 GB).

Source: ISO/IEC 14496-12 section 4.2 (boxes), 8.6 to 8.8 (tables, fragments).
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from assets.errors import Reason, RejectedFile

# A minute's index is a few hundred kB: 20 bytes per frame and piece of sound.
MAX_INDEX_BYTES: Final = 8 * 2**20
# A minute of uncompressed sound at 48 kHz counts 2.88 million samples; frames are thousands.
MAX_SAMPLES: Final = 3_000_000
# A minute in fragments of one frame each has some 7,200.
MAX_BOXES: Final = 20_000

# What carries no index, however large it is.
_SKIPPED = frozenset({b"ftyp", b"mdat", b"free", b"skip", b"wide", b"uuid"})
# A box of these names that reaches over the end was cut; of any other it never was a box.
_COMMON = _SKIPPED | {b"moov", b"moof", b"meta", b"mfra", b"sidx", b"styp", b"udta"}
# What can declare more samples than it has bytes (sample sizes, fragment runs), and the compressed
# index. They are found by name wherever they stand: libav looks into more boxes than the standard
# nests, and no size or offset within a file of 512 MB has these letters in it.
_TABLES = re.compile(rb"stsz|stz2|trun|cmov")


def check(*, file: BinaryIO, size_bytes: int) -> None:
    """Follow the top-level boxes of a clip; read its indexes and nothing else.

    Raises RejectedFile: DAMAGED when the file ends before a box does, has no index, or its index
    is larger than a clip's can be; EXTRA_DATA when something that is no box follows the clip.
    A box that says "to the end of the file" is refused, too: whatever was appended would be in it,
    and only writers that were interrupted leave one.
    """
    position = count = samples = 0
    has_index = False
    while position < size_bytes:
        kind, header_bytes, length = _header(file, position)
        if length < header_bytes or position + length > size_bytes:
            raise damaged() if kind in _COMMON else _extra_data()
        if kind not in _SKIPPED:
            if length > MAX_INDEX_BYTES:
                raise damaged()
            file.seek(position + header_bytes)
            samples += _declared_samples(file.read(length - header_bytes))
        has_index = has_index or kind == b"moov"
        position += length
        count += 1
        if count > MAX_BOXES or samples > MAX_SAMPLES:
            raise damaged()
    if not has_index:
        raise damaged()


def damaged() -> RejectedFile:
    return RejectedFile(Reason.DAMAGED, "The clip is damaged or not complete.")


def _extra_data() -> RejectedFile:
    return RejectedFile(
        Reason.EXTRA_DATA,
        "Something else follows the clip in this file. Save the clip again as MP4 and use that"
        " file.",
    )


def _header(file: BinaryIO, position: int) -> tuple[bytes, int, int]:
    """Name, bytes of the header, and bytes of the whole box as it says."""
    file.seek(position)
    head = file.read(16)
    length, kind = int.from_bytes(head[:4]), head[4:8]
    if length == 1:
        return kind, 16, int.from_bytes(head[8:16])
    return kind, 8, length


def _declared_samples(index: bytes) -> int:
    """How many samples the tables of an index declare."""
    total = 0
    for table in _TABLES.finditer(index):
        if table.group() == b"cmov":
            raise damaged()
        # Behind the name: version and flags, then (in stsz and stz2) the size, then the count.
        offset = table.end() + (4 if table.group() == b"trun" else 8)
        total += int.from_bytes(index[offset : offset + 4])
    return total
