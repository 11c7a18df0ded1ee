"""What a file is and where its picture ends, told from the bytes alone.

A decoder stops at the end of the picture and never looks at what follows, so a file that is a
picture and a web page or an archive as well passes every decoder. These walks follow the container
to its own last byte. A clip's boxes are followed in `boxes`, without reading the clip.

Sources: JPEG, ITU-T T.81 annex B; PNG, W3C PNG third edition, section 5; WebP, RFC 9649 section 2;
MP4 and MOV, ISO/IEC 14496-12 section 4.3.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from assets.errors import Reason, RejectedFile

# Enough of the beginning to tell every type that is known here.
HEAD_BYTES = 16

JPEG, PNG, WEBP, MP4 = "image/jpeg", "image/png", "image/webp", "video/mp4"
EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp", MP4: "mp4"}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Within compressed data FF is followed by 00, by a restart marker or by another FF.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
# Pictures in the same boxes as clips.
_HEIF_BRANDS = {b"avif", b"avis", b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevx", b"mif1"}
# Harmless filling that some writers leave behind the end.
_PADDING = b"\x00\r\n "

# A decoder goes over the whole picture for each scan, however few bytes one has (measured: 75 bytes
# are 20 ms of 50 megapixels). Encoders write about 10.
MAX_SCANS: Final = 64
# Each costs a turn of an interpreted loop, here and in Pillow. Chunks of 4 kB, the smallest that
# encoders write, make 12,800 in the largest picture we take.
MAX_PARTS: Final = 20_000
# Cameras put three or four pictures into a file.
_MAX_PICTURES = 20
_MAX_FILLING_BYTES = 2**16
_FILLING = re.compile(rb"\xff+")
# Markers without a length. A decoder passes over them; a walk that took a length from the bytes
# behind one would jump over what the decoder sees.
_BARE = frozenset({0x00, 0x01, _SOI, *range(0xD0, 0xD8)})


def media_type_of(head: bytes) -> str | None:
    """The media type by the first HEAD_BYTES of a file, or None for one we do not take."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_PNG_SIGNATURE):
        return PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] not in _HEIF_BRANDS:
        return MP4
    return None


def kind_of(media_type: str) -> str:
    """The kind of asset, image or video: the first half of its media type."""
    return media_type.partition("/")[0]


def check_ends_with_picture(*, data: bytes, media_type: str) -> None:
    """Follow the container to its end.

    Raises RejectedFile: DAMAGED when the file ends before the picture does or a PNG checksum is
    wrong, EXTRA_DATA when something that is not filling follows the picture.
    """
    walk = {JPEG: _end_of_jpegs, PNG: _end_of_png, WEBP: _end_of_webp}[media_type]
    try:
        end = walk(data)
    except (IndexError, ValueError) as error:
        raise damaged() from error
    if end > len(data):
        raise damaged()
    if data[end:].strip(_PADDING):
        raise RejectedFile(
            Reason.EXTRA_DATA,
            "Something else follows the picture in this file. Save the picture again as JPEG, PNG"
            " or WebP and use that file.",
        )


def check_work(*, data: bytes, media_type: str) -> None:
    """Refuse what takes far longer to read than its bytes let expect, before anything reads it.

    Raises RejectedFile, DAMAGED: for more than MAX_SCANS scans or MAX_PARTS parts in the first
    picture, and for one whose parts cannot be followed.
    """
    try:
        if media_type == JPEG:
            _end_of_jpeg(data, 0)
        elif media_type == PNG:
            _end_of_chunks(data, len(_PNG_SIGNATURE), is_png=True)
        else:
            _end_of_chunks(data, 12, is_png=False)
    except (IndexError, ValueError) as error:
        raise damaged() from error


def damaged() -> RejectedFile:
    return RejectedFile(Reason.DAMAGED, "The picture is damaged or not complete.")


def _end_of_jpegs(data: bytes) -> int:
    """The end of the last picture: cameras put further JPEGs (depth, HDR gain) behind the first."""
    end = _end_of_jpeg(data, 0)
    for _ in range(_MAX_PICTURES):
        following = data.find(b"\xff\xd8\xff", end)
        if following < 0 or data[end:following].strip(_PADDING):
            return end
        end = _end_of_jpeg(data, following)
    raise ValueError("too many pictures")


def _end_of_jpeg(data: bytes, start: int) -> int:
    position = start + 2
    scans = filling_bytes = 0
    for _ in range(MAX_PARTS):
        filling = _FILLING.match(data, position)  # any number of FF may stand before a marker
        if filling is None:
            raise ValueError("no marker where one must be")
        filling_bytes += filling.end() - position - 1
        marker, position = data[filling.end()], filling.end() + 1
        if marker == _EOI:
            return position
        length = int.from_bytes(data[position : position + 2])
        scans += marker == _SOS
        if marker in _BARE or length < 2:
            raise ValueError("a marker that cannot stand here, or a segment without its length")
        if scans > MAX_SCANS or filling_bytes > _MAX_FILLING_BYTES:
            break
        position += length
        if marker == _SOS:
            found = _JPEG_MARKER.search(data, position)
            if found is None:
                raise ValueError("compressed data without an end")
            position = found.start()
    raise ValueError("too many segments or scans")


def _end_of_chunks(data: bytes, position: int, *, is_png: bool) -> int:
    """Behind the last chunk, checksums unread. What is cut is for others to say."""
    for _ in range(MAX_PARTS):
        if position >= len(data):
            return position
        if is_png:
            kind = data[position + 4 : position + 8]
            position += 12 + int.from_bytes(data[position : position + 4])
            if kind == b"IEND":
                return position
        else:
            length = int.from_bytes(data[position + 4 : position + 8], "little")
            position += 8 + length + length % 2
    raise ValueError("too many chunks")


def _end_of_png(data: bytes) -> int:
    position = len(_PNG_SIGNATURE)
    for _ in range(MAX_PARTS):
        length = int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            raise ValueError("a chunk longer than the file")
        checksum = int.from_bytes(data[end - 4 : end])
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != checksum:
            raise ValueError("a chunk with a wrong checksum")
        if kind == b"IEND":
            return end
        position = end
    raise ValueError("too many chunks")


def _end_of_webp(data: bytes) -> int:
    size = int.from_bytes(data[4:8], "little")
    return 8 + size + size % 2
