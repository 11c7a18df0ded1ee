"""The boxes of an MP4 or MOV file, followed to its last byte before a demuxer sees it.

Two things only these walks can tell. Where the clip ends: a demuxer never looks at what stands
behind it. And how much memory the index will take: libav believes a count in a table of a few
bytes and makes an entry for each (measured: 8 kB that declare 80 million samples took 4.7 GB).
Some tables multiply: samples per chunk by chunks, samples by the edits that show them again.

Source: ISO/IEC 14496-12 section 4.2 (boxes), 8.6 to 8.8 and 8.16 (tables, fragments, segments);
what libav makes of them, its mov.c (mov_build_index, mov_fix_index, mov_read_sidx).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from assets.errors import Reason, RejectedFile

# All indexes of a file together. A minute's has a few hundred kB: 20 bytes per frame and piece of
# sound; in fragments of one frame each, 1.5 MB.
MAX_INDEX_BYTES: Final = 8 * 2**20
# A minute of uncompressed sound at 48 kHz counts 2.88 million samples; frames are thousands.
MAX_SAMPLES: Final = 3_000_000
# A minute in fragments of one frame each has some 7,200.
MAX_BOXES: Final = 20_000

# What carries no index, however large it is.
_SKIPPED = frozenset({b"ftyp", b"mdat", b"free", b"skip", b"wide", b"uuid"})
# A box of these names that reaches over the end was cut; of any other it never was a box.
_COMMON = _SKIPPED | {b"moov", b"moof", b"meta", b"mfra", b"sidx", b"styp", b"udta"}
# Sound, pictures, subtitles, time code, and what cameras measure while they film.
MAX_TRACKS: Final = 32
# Editors write one or two; libav goes through all samples again for each.
MAX_EDITS: Final = 100

# Where a table keeps its count, in bytes behind its name; by version where that differs. libav may
# read on behind the table until it has as many entries.
_COUNT_AT: Final[dict[bytes, tuple[int, ...]]] = {
    **dict.fromkeys((b"stts", b"ctts", b"stss", b"stps", b"stsd", b"dref", b"trun"), (4,)),
    **dict.fromkeys((b"stsz", b"stz2"), (8,)),
    **dict.fromkeys((b"sbgp", b"sgpd"), (8, 12)),
    b"tfra": (12,),
}
# Chunks and what is in them, edits, segments, and a count of 16 or 32 bits (pictures among clips).
_OTHERS: Final = (b"stco", b"co64", b"stsc", b"elst", b"sidx", b"iinf", b"iloc")
# A packed index, and tables of clips under a key, which nobody could play.
_REFUSED: Final = (b"cmov", b"senc", b"saiz", b"saio")
# They are found by name wherever they stand: libav looks into more boxes than the standard nests,
# and no size or offset within a file of 512 MB has these letters in it.
_TABLES = re.compile(b"|".join((*_COUNT_AT, *_OTHERS, *_REFUSED)))
# libav makes an entry of at least so many samples of plain sound.
_MIN_SAMPLES_PER_ENTRY: Final = 160
_NO_MEDIA: Final = b"\xff" * 4


def check(*, file: BinaryIO, size_bytes: int) -> None:
    """Follow the top-level boxes of a clip; read its indexes and nothing else.

    Raises RejectedFile: DAMAGED when the file ends before a box does, has no index, or its index
    is larger than a clip's can be; EXTRA_DATA when something that is no box follows the clip.
    A box that says "to the end of the file" is refused, too: whatever was appended would be in it,
    and only writers that were interrupted leave one.
    """
    position = count = samples = index_bytes = 0
    has_index = False
    while position < size_bytes:
        kind, header_bytes, length = _header(file, position)
        if length < header_bytes or position + length > size_bytes:
            raise damaged() if kind in _COMMON else _extra_data()
        if kind not in _SKIPPED:
            index_bytes += length
            if index_bytes > MAX_INDEX_BYTES:
                raise damaged()
            file.seek(position + header_bytes)
            samples += _declared_samples(kind + file.read(length - header_bytes))
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


def _declared_samples(box: bytes) -> int:
    """How many entries libav will make of a box. box: from its name on. Raises RejectedFile."""
    if box.count(b"trak") > MAX_TRACKS:
        raise damaged()
    return sum(_entries_of_track(part) for part in _tracks(box))


def _tracks(box: bytes) -> Iterator[bytes]:
    """The box cut where a track of an index begins: a table is of the last track before it."""
    cuts, position = [0], 4
    while box[:4] == b"moov" and position + 8 <= len(box):
        length = int.from_bytes(box[position : position + 4])
        if length == 1:
            length = int.from_bytes(box[position + 8 : position + 16])
        if box[position + 4 : position + 8] == b"trak":
            cuts.append(position)
        if length < 8:
            break
        position += length
    for start, end in zip(cuts, [*cuts[1:], len(box)], strict=True):
        yield box[start:end]


def _entries_of_track(track: bytes) -> int:
    samples = others = chunks = most_per_chunk = edits = 0
    for table in _TABLES.finditer(track):
        name, at = table.group(), table.end()
        if name in _REFUSED:
            raise damaged()
        if name in (b"stsz", b"stz2", b"trun"):
            samples += _count(track, name, at)
        elif name in (b"stco", b"co64"):
            chunks += _number(track, at + 4)
        elif name == b"stsc":
            most_per_chunk = max(most_per_chunk, _most_per_chunk(track, at))
        elif name == b"elst":
            edits += _shown_edits(track, at)
        else:
            others += _count(track, name, at)
    if edits > MAX_EDITS:
        raise damaged()
    plain_sound = chunks * (most_per_chunk // _MIN_SAMPLES_PER_ENTRY + 1)
    return max(1, edits) * (samples + plain_sound) + others


def _count(track: bytes, name: bytes, at: int) -> int:
    version = track[at : at + 1]
    if name == b"sidx":
        return _number(track, at + (22 if version == b"\0" else 30), size_bytes=2)
    if name == b"iinf":
        return _number(track, at + 4, size_bytes=2 if version == b"\0" else 4)
    if name == b"iloc":
        return _number(track, at + 6, size_bytes=2 if version in (b"\0", b"\1") else 4)
    offsets = _COUNT_AT[name]
    return _number(track, at + (offsets[0] if version == b"\0" else offsets[-1]))


def _most_per_chunk(track: bytes, at: int) -> int:
    """Each run: its first chunk, the samples of a chunk, and what describes them."""
    runs = min(_number(track, at + 4), (len(track) - at - 8) // 12)
    if runs > MAX_SAMPLES // 100:  # a minute changes its chunks some hundred times
        raise damaged()
    return max((_number(track, at + 12 + 12 * run) for run in range(runs)), default=0)


def _shown_edits(track: bytes, at: int) -> int:
    """Edits that show samples; those that only wait make no entries."""
    count = _number(track, at + 4)
    if count > MAX_EDITS:
        raise damaged()
    size, offset = (20, 8) if track[at : at + 1] == b"\1" else (12, 4)
    starts = (at + 8 + size * edit + offset for edit in range(count))
    return sum(track[start : start + 4] != _NO_MEDIA for start in starts)


def _number(box: bytes, at: int, *, size_bytes: int = 4) -> int:
    return int.from_bytes(box[at : at + size_bytes])
