"""Files of the stand-in: a plain JPEG, and one that must never be decoded."""

import base64
import io
import zlib
from dataclasses import dataclass

from PIL import Image


@dataclass(slots=True, kw_only=True)
class Picture:
    width: int
    height: int
    colour: tuple[int, int, int]
    signature: str
    expires_at: float
    fault: str = ""
    seconds: float = 1.0
    location: str = ""


def jpeg(picture: Picture) -> bytes:
    """A plain gradient in the colour of the prompt."""
    shade = Image.linear_gradient("L").resize((picture.width, picture.height))
    image = Image.merge(
        "RGB", [shade.point([i * c // 255 for i in range(256)]) for c in picture.colour]
    )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def jpeg_b64(picture: Picture) -> str:
    return base64.b64encode(jpeg(picture)).decode()


def png_bomb() -> bytes:
    """A valid PNG of 8000 x 8000 pixels (64 megapixels) in about 8 KB."""
    side = 8_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + crc.to_bytes(4, "big")

    size = side.to_bytes(4, "big")
    rows = zlib.compress(b"\0" * ((side // 8 + 1) * side), 9)
    header = chunk(b"IHDR", size + size + bytes([1, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
