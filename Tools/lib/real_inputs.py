"""Real inputs: a head MRI of Debian's mricron-data, and pictures of text drawn with the font that Pillow carries."""

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFont

import models

CH2 = "/usr/share/mricron/templates/ch2.nii.gz"
LINES = ["Sardonyx reads this page", "Patient 4711  2026-03-14", "T1 MRI, 1 mm, no contrast"]


def brain(_):
    volume = models.nearest(models.read_nifti(CH2), 128)
    return {"img": (volume / volume.max())[None, None].astype(np.float32)}


def page_of_text():
    """A page of three lines, slightly uneven in light, and the box of the first line."""
    picture = Image.new("RGB", (640, 480), (236, 232, 220))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=36)
    for i, line in enumerate(LINES):
        draw.text((40, 60 + 120 * i), line, fill=(25, 25, 40), font=font)
    shade = np.linspace(1, 0.85, picture.width, dtype=np.float32)[None, :, None]
    picture = Image.fromarray((np.asarray(picture) * shade).astype(np.uint8))
    return picture, draw.textbbox((40, 60), LINES[0], font=font)


def as_tensor(picture):
    pixels = np.asarray(picture, np.float32)[:, :, ::-1] / 255  # the models were trained on BGR
    return {"x": ((pixels - 0.5) / 0.5).transpose(2, 0, 1)[None].copy()}


def first_line(width):
    picture, (left, top, right, bottom) = page_of_text()
    picture = picture.crop((left - 6, top - 6, right + 6, bottom + 6))
    if width is None:
        width = round(48 * picture.width / picture.height)
    return as_tensor(picture.resize((width, 48), Image.Resampling.BILINEAR))


INPUTS = {
    "brain-extraction": ("`ch2.nii.gz` at 128³", brain),
    "ocr_det": ("page of three lines, 480×640", lambda _: as_tensor(page_of_text()[0])),
    "ocr_cls": ("its first line, 48×192", lambda _: first_line(192)),
    "ocr_rec": ("its first line, height 48", lambda _: first_line(None)),
}


def decode(path, probabilities):
    """CTC: the best symbol of each step, repetitions and blanks (symbol 0) left out."""
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    symbols = ["", *metadata["character"].splitlines(), " "]
    best = probabilities[0].argmax(-1)
    return "".join(symbols[s] for i, s in enumerate(best) if s and (i == 0 or s != best[i - 1]))


def meaning(name, path, ours, expected):
    """What the first output says, for the table; raises ValueError when it says another thing than the reference."""
    if name == "brain-extraction":
        a, b = ours > 0.5, expected > 0.5
        return f"; voxels in the mask: {int(a.sum())}, {int((a != b).sum())} differ"
    if name == "ocr_det":
        a, b = ours > 0.3, expected > 0.3
        return f"; pixels of text: {int(a.sum())}, {int((a != b).sum())} differ"
    if name == "ocr_cls":
        if int(ours.argmax()) != int(expected.argmax()):
            raise ValueError(f"class {int(ours.argmax())}, ONNX Runtime says {int(expected.argmax())}")
        return f"; {('upright', 'upside down')[int(ours.argmax())]}"
    a, b = decode(path, ours), decode(path, expected)
    if a != b:
        raise ValueError(f"reads “{a}”, ONNX Runtime reads “{b}”")
    return f"; reads “{a}”"
