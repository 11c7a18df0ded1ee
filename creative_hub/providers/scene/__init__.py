"""A painter for the sandbox: pictures worth looking at, from words alone.

No AI and no network. The same prompt, style, variant and size give the same pixels in every
process: each part of a picture has its own generator, seeded from the words. Words choose the
scene (`brief.SCENE_WORDS`), the light (`palette.MOODS`) and colours; the style chooses the hand
(`brief.LOOKS`). No text is ever drawn.
"""

from __future__ import annotations

import io

from PIL import Image

from creative_hub.providers.scene import brief
from creative_hub.providers.scene.finish import finish
from creative_hub.providers.scene.stage import Stage

SOFTWARE = "Wevion sandbox renderer (placeholder, no AI)"
JPEG_QUALITY = 92
_EXIF_IMAGE_DESCRIPTION = 0x010E
_EXIF_SOFTWARE = 0x0131


def draw_scene(*, prompt: str, style: str, variant: int, width: int, height: int) -> Image.Image:
    """A picture of exactly width x height pixels (RGB).

    variant: 1-based. Variants of one prompt show the same kind of scene in another composition,
    and another light unless the prompt names one.
    """
    plan = brief.read(prompt=prompt, style=style, variant=variant)
    stage = Stage(
        image=Image.new("RGB", (width, height)),
        seed=plan.seed,
        words=plan.words,
        palette=plan.palette,
        look=plan.look,
    )
    stage.palette = plan.palette.sibling(stage.dice("palette"))
    brief.SCENES[plan.scene](stage)
    finish(stage)
    return stage.image


def encode_jpeg(image: Image.Image) -> bytes:
    """A JPEG that says what made it; nothing of the prompt is in the file."""
    exif = Image.Exif()
    exif[_EXIF_IMAGE_DESCRIPTION] = SOFTWARE
    exif[_EXIF_SOFTWARE] = SOFTWARE
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, exif=exif, optimize=False, progressive=True)
    return buffer.getvalue()
