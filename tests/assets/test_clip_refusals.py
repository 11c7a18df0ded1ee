"""Clips that are not taken into the library, and that nothing is left of them."""

import io
import struct

import pytest

from assets import boxes, clips
from assets.errors import Reason, RejectedFile
from assets.models import Asset
from tests.assets import pictures, videos
from tests.assets.makers import ingest_for
from tests.assets.test_refusals import HTML, zipped
from tests.factories import make_member

pytestmark = pytest.mark.django_db

CLIP = videos.clip(duration_s=4)
FRAGMENTS = videos.clip(movflags="frag_keyframe+empty_moov", options=(("g", "5"),))
MDAT = CLIP.index(b"mdat") + 4

DAMAGED = "The clip is damaged or not complete."
EXTRA = (
    "Something else follows the clip in this file. Save the clip again as MP4 and use that file."
)
CODEC = "which browsers do not play. H.264, HEVC, AV1 and VP9 are taken."


def number(value: int) -> bytes:
    return struct.pack(">I", value)


ATTACKS = {
    "nothing at all": (b"", Reason.EMPTY, "The file is empty."),
    "a web page named .mp4": (
        HTML,
        Reason.UNKNOWN_TYPE,
        "This file is not an MP4 or MOV clip.",
    ),
    "a picture": (
        pictures.jpeg(64, 64),
        Reason.UNKNOWN_TYPE,
        "This file is not an MP4 or MOV clip.",
    ),
    "a picture in an MP4's boxes": (
        b"\0\0\0\x14ftypavif" + bytes(400),
        Reason.UNKNOWN_TYPE,
        "This file is not an MP4 or MOV clip.",
    ),
    "a web page behind an MP4's first bytes": (
        videos.box(b"ftyp", b"isom\0\0\0\0") + HTML,
        Reason.EXTRA_DATA,
        EXTRA,
    ),
    "no index": (videos.box(b"ftyp", b"isom\0\0\0\0"), Reason.DAMAGED, DAMAGED),
    "an index of nothing": (
        videos.box(b"ftyp", b"isom\0\0\0\0") + videos.box(b"moov"),
        Reason.NO_VIDEO,
        "This file has no picture track.",
    ),
    "half a clip": (CLIP[: len(CLIP) // 2], Reason.DAMAGED, DAMAGED),
    "a clip without its last bytes": (CLIP[:-3], Reason.DAMAGED, DAMAGED),
    "a clip cut with care": (videos.with_box_cut(CLIP, 5_000), Reason.DAMAGED, DAMAGED),
    "a clip of which half is indexed": (
        videos.patched(CLIP, b"stsz", 8, number(20)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "a clip of zeros": (CLIP[:MDAT] + bytes(len(CLIP) - MDAT), Reason.DAMAGED, DAMAGED),
    "a clip that ends in zeros": (CLIP[:-1_500] + bytes(1_500), Reason.DAMAGED, DAMAGED),
    "a clip that ends when it likes": (
        CLIP[: MDAT - 8] + number(0) + CLIP[MDAT - 4 :],
        Reason.DAMAGED,
        DAMAGED,
    ),
    "fragments, the last one cut": (FRAGMENTS[:-500], Reason.DAMAGED, DAMAGED),
    "sound without pictures": (
        videos.sound(),
        Reason.NO_VIDEO,
        "This file has no picture track.",
    ),
    "a codec of DVDs": (
        videos.clip(codec="mpeg4"),
        Reason.CODEC,
        f"The clip is coded as mpeg4, {CODEC}",
    ),
    "a codec nobody knows": (
        CLIP.replace(b"avc1", b"xxxx"),
        Reason.CODEC,
        f"The clip is coded as an unknown codec, {CODEC}",
    ),
    "a second too long": (
        videos.clip(64, 64, duration_s=61),
        Reason.TOO_LONG,
        "The clip is 61.0 s long; at most 60 s are taken.",
    ),
    "a side too long": (
        videos.clip(4_100, 64, duration_s=1),
        Reason.SIDE_TOO_LONG,
        "The clip is 4100 × 64 px; each side may have at most 4096 px.",
    ),
    "an archive behind it": (CLIP + zipped(), Reason.EXTRA_DATA, EXTRA),
    "a web page behind it": (CLIP + HTML, Reason.EXTRA_DATA, EXTRA),
    "zeros behind it": (CLIP + bytes(16), Reason.EXTRA_DATA, EXTRA),
    "three bytes behind it": (CLIP + b"PK\x03", Reason.EXTRA_DATA, EXTRA),
    "a table that declares a billion samples": (
        videos.patched(CLIP, b"stsz", 4, number(1) + number(10**9)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "a fragment that declares a billion samples": (
        videos.patched(FRAGMENTS, b"trun", 4, number(10**9)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "an index that is packed": (
        CLIP + videos.box(b"moov", videos.box(b"cmov", bytes(64))),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "an index of many megabytes": (
        CLIP + videos.box(b"udta", bytes(8 * 2**20)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "chunks that declare two billion samples each": (
        videos.patched(CLIP, b"stsc", 12, number(2**31 - 1)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "very many edits": (
        videos.patched(CLIP, b"elst", 4, number(101)),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "very many tracks": (
        CLIP + videos.box(b"moov", videos.box(b"trak") * 33),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "very many segments": (
        CLIP + videos.box(b"sidx", bytes(22) + b"\xff\xff") * 46,
        Reason.DAMAGED,
        DAMAGED,
    ),
    "a clip under a key": (
        CLIP + videos.box(b"moof", videos.box(b"senc", bytes(8))),
        Reason.DAMAGED,
        DAMAGED,
    ),
    "many indexes": (CLIP + videos.box(b"udta", bytes(2**20)) * 8, Reason.DAMAGED, DAMAGED),
    "a million empty boxes": (CLIP + videos.box(b"free") * 1_000_000, Reason.DAMAGED, DAMAGED),
}


@pytest.mark.parametrize(("data", "reason", "sentence"), ATTACKS.values(), ids=ATTACKS.keys())
def test_a_bad_clip_is_refused_and_nothing_is_left_of_it(data, reason, sentence, stored_files):
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), data, accept=("video",))
    assert refused.value.reason == reason
    assert refused.value.sentence == sentence
    assert not Asset.objects.exists()
    assert stored_files() == []


@pytest.mark.parametrize(
    ("table", "offset"),
    [
        (b"stts", 4),
        (b"ctts", 4),
        (b"stss", 4),
        (b"stco", 4),
        (b"stsd", 4),
        (b"dref", 4),
        (b"sbgp", 8),
        (b"sgpd", 8),
        (b"tfra", 12),
        (b"iloc", 6),
    ],
)
def test_a_table_that_declares_more_than_it_has_is_refused(table, offset):
    # libav reads on behind such a table, to the end of the file.
    version = b"\2" if table == b"iloc" else b"\0"
    content = version + bytes(offset - 1) + number(10**9)
    with pytest.raises(RejectedFile) as refused:
        check(CLIP + videos.box(b"meta", videos.box(table, content)))
    assert refused.value.reason == Reason.DAMAGED


def track(*, samples: int, per_chunk: int, chunks: int, edits: list[int]) -> bytes:
    """An index of plain sound. edits: where each begins in the track; -1 waits."""
    tables: tuple[tuple[bytes, bytes, list[bytes]], ...] = (
        (b"elst", number(len(edits)), [struct.pack(">IiI", 1000, at, 1) for at in edits]),
        (b"stsz", number(2) + number(samples), []),
        (b"stsc", number(1), [number(1), number(per_chunk), number(1)]),
        (b"stco", number(chunks), [number(40)] * chunks),
    )
    boxed = (videos.box(name, bytes(4) + head + b"".join(rows)) for name, head, rows in tables)
    return videos.box(b"moov", videos.box(b"trak", b"".join(boxed)) * 2)


def check(data: bytes) -> None:
    boxes.check(file=io.BytesIO(data), size_bytes=len(data))


def test_a_minute_of_plain_sound_is_no_bomb():
    check(CLIP + track(samples=1_400_000, per_chunk=24_000, chunks=60, edits=[-1, 0]))
    check(CLIP + track(samples=1_400_000, per_chunk=1_400_000, chunks=1, edits=[0]))


@pytest.mark.parametrize(
    "tables",
    [
        {"samples": 2, "per_chunk": 480_000, "chunks": 1_000, "edits": []},
        {"samples": 20_000, "per_chunk": 1, "chunks": 1, "edits": [0] * 100},
        {"samples": 2, "per_chunk": 2_400_000, "chunks": 1, "edits": [0] * 100},
    ],
)
def test_tables_that_multiply_are_bounded_by_what_they_make(tables):
    with pytest.raises(RejectedFile) as refused:
        check(CLIP + track(**tables))
    assert refused.value.reason == Reason.DAMAGED


@pytest.mark.parametrize("kind", [b"free", b"skip", b"uuid", b"what", b"udta"])
def test_boxes_behind_a_clip_are_part_of_it(kind):
    data = CLIP + videos.box(kind, bytes(range(64)))
    assert ingest_for(make_member(), data, accept=("video",)).duration_s == 4.0


def test_a_box_with_a_long_size_is_followed():
    long = struct.pack(">I4sQ", 1, b"free", 116) + bytes(100)
    boxes.check(file=io.BytesIO(CLIP + long), size_bytes=len(CLIP) + 116)
    with pytest.raises(RejectedFile) as refused:
        boxes.check(file=io.BytesIO(CLIP + long[:-1]), size_bytes=len(CLIP) + 115)
    assert refused.value.reason == Reason.DAMAGED


def test_no_picture_only_caller_gets_a_clip(stored_files):
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), CLIP)
    assert refused.value.sentence == "This file is not a JPEG, PNG or WebP picture."
    assert stored_files() == []


def test_who_takes_both_says_so():
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), HTML, accept=("image", "video"))
    assert (
        refused.value.sentence
        == "This file is neither a JPEG, PNG or WebP picture nor an MP4 or MOV clip."
    )


def test_more_than_the_most_is_refused_by_its_size_alone():
    class Huge(io.BytesIO):
        def seek(self, offset, whence=0):
            return 512 * 2**20 + 1 if whence == 2 else super().seek(offset, whence)

    with pytest.raises(RejectedFile) as refused:
        clips.examine(file=Huge(CLIP))
    assert refused.value.reason == Reason.TOO_LARGE
    assert refused.value.sentence == "The file is larger than 512 MB, the most we take."


def test_a_packet_that_is_half_the_file_is_not_taken_into_memory():
    one = videos.patched(CLIP, b"stsz", 4, number(30 * 2**20) + number(1))
    at = one.index(b"mdat") - 4
    data = one[:at] + videos.box(b"mdat", one[at + 8 :] + bytes(40 * 2**20))
    read = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            read.append(size)
            return super().read(size)

    with pytest.raises(RejectedFile) as refused:
        clips.examine(file=Watched(data))
    assert refused.value.reason == Reason.DAMAGED
    assert max(read) <= 2**18
    assert sum(read) < 28 * 2**20


def test_a_read_error_of_our_own_disk_is_not_the_clips_fault():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if size == 2**18:  # a piece that libav asks for
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        clips.examine(file=Failing(CLIP))
