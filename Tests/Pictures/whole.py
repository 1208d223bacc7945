"""Writes whole.txt beside it: small pictures with all that their files keep, as other libraries read them.

Needs Pillow, tifffile, imagecodecs and numpy. A line a picture: a name, the format, width, height, channels, the type of
a sample, its type in the file, whether the last channel is alpha, millimetres across and down or "-", how many pages
there are and which one it is; then in hexadecimal the file, and the samples with the lower byte first. PNG and JPEG are
read by Pillow, 16-bit PNG by imagecodecs, TIFF by tifffile, turned TIFF by Pillow. What those leave as it is stored (0 as
white, palettes, ink, multiplied alpha, a transparent colour) is converted here by the formulas of CCodecs.h.
"""

import io
import pathlib
import struct
import zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import IFDRational

W, H = 7, 5
Y, X = np.mgrid[:H, :W]
RGBA = np.stack([X * 42, Y * 63, X * Y * 10, 255 - 9 * X * Y], -1).astype(np.uint8)
RGB, GREY = RGBA[..., :3], RGBA[..., 0] // 2 + RGBA[..., 1] // 2
DEEP = (RGBA.astype(np.int64) * 257 - 3 * (RGBA > 3)).astype(np.uint16)
lines = []


def add(name, data, kind, values, stored=None, alpha=False, dpi=None, pages=1, page=0):
    values = values if values.ndim == 3 else values[..., None]
    millimetres = " ".join(repr(25.4 / float(d)) for d in dpi) if dpi else "-"
    cells = [name, kind, values.shape[1], values.shape[0], values.shape[2], values.dtype.name]
    cells += [stored or values.dtype.name, int(alpha), millimetres, pages, page, data.hex()]
    little = values.astype(values.dtype.newbyteorder("<"))
    lines.append("\t".join(str(cell) for cell in cells + [little.tobytes().hex()]))


def by_pillow(name, data):
    """Grey, grey and alpha, RGB or RGB and alpha of 8 bits, or grey of 16."""
    picture = Image.open(io.BytesIO(data))
    dpi, kind, clear = picture.info.get("dpi"), picture.format, "transparency" in picture.info
    # Where a file says nothing, Pillow has 72 of EXIF and 1 of TIFF.
    said = "jfif_density" in picture.info and picture.info.get("jfif_unit") or kind == "PNG"
    dpi = dpi if said else None
    grey = picture.mode in ("1", "L", "LA", "I;16", "I;16B")
    picture = ImageOps.exif_transpose(picture)
    if not picture.mode.startswith("I"):
        clear = clear or picture.mode in ("LA", "RGBA")
        # Pillow makes grey from RGBA otherwise than from what is grey already; here its channels are alike.
        picture = picture.convert("RGBA" if clear else "L" if grey else "RGB")
    values = np.array(picture)
    if grey and clear:
        values = values[..., 2:]
    add(name, data, kind, values.astype(np.uint16) if picture.mode.startswith("I") else values, alpha=clear, dpi=dpi)


def by_tifffile(name, data, dpi=None, page=0):
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[page].tags
        values = file.pages[page].asarray()
        pages = len(file.pages)
        photometric = int(file.pages[page].photometric)
        if int(file.pages[page].planarconfig) == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        extra = tuple(int(e) for e in file.pages[page].extrasamples or ())
        colours = tags["ColorMap"].value if "ColorMap" in tags else None
    stored = {"bool": "uint8", "float16": "float32"}.get(values.dtype.name, values.dtype.name)
    alpha = extra in ((1,), (2,))
    bits = tags["BitsPerSample"].value
    bits = bits[0] if isinstance(bits, tuple) else bits
    if photometric == 3:
        values, stored = np.moveaxis((np.array(colours) >> 8).astype(np.uint8)[:, values], 0, -1), "uint8"
    elif bits < 8:
        values = (values.astype(np.uint16) * 255 // (2**bits - 1)).astype(np.uint8)
    if photometric == 0:
        values = values.dtype.type(np.iinfo(values.dtype).max) - values
    if photometric == 5:
        most = np.iinfo(values.dtype).max
        wide = values.astype(np.uint64)
        white = most - wide[..., 3:]
        values = (white - (wide[..., :3] * white + most // 2) // most).astype(values.dtype)
    if values.dtype not in (np.uint8, np.uint16):
        values = values.astype(np.float32)
    if extra == (1,):
        most, wide = np.iinfo(values.dtype).max, values.astype(np.uint64)
        divided = np.minimum(wide[..., :-1] * most // np.maximum(wide[..., -1:], 1), most)
        shown = np.where(wide[..., -1:] > 0, divided, wide[..., :-1])
        values = np.concatenate([shown.astype(values.dtype), values[..., -1:]], -1)
    add(name, data, "TIFF", values, stored, alpha, dpi, pages, page)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def tiff(*pages, **options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")) as out:
        for page in pages:
            out.write(page, contiguous=False, metadata=None, software=False, **options)
    return file.getvalue()


def packed(rows, bits):
    text = ["".join(format(int(v), f"0{bits}b") for v in np.ravel(row)) for row in rows]
    return [int(t.ljust((len(t) + 7) // 8 * 8, "0"), 2).to_bytes((len(t) + 7) // 8, "big") for t in text]


def png(samples, bits, colour, *chunks, interlaced=False):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [samples[y::down, x::across] for x, y, across, down in passes]
    raw = b"".join(b"\0" + row for part in parts if part.size for row in packed(part, bits))
    head = struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, interlaced)
    middle = b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(raw, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + middle + chunk(b"IEND", b"")


noise = np.random.default_rng(1).integers(0, 256, 1024, dtype=np.uint8).tobytes()
for bits in (1, 2, 4, 8):
    by_pillow(f"png, grey of {bits} bits", png(GREY >> (8 - bits), bits, 0))
    colours = (b"PLTE", noise[: 3 << bits])
    by_pillow(f"png, palette of {bits} bits", png(GREY >> (8 - bits), bits, 3, colours))
    clear = (b"tRNS", noise[500 : 499 + (1 << bits)])
    by_pillow(f"png, palette of {bits} bits with alpha", png(GREY >> (8 - bits), bits, 3, colours, clear))
    few = GREY >> (8 - bits)
    data = png(few, bits, 0, (b"tRNS", struct.pack(">H", int(few[2, 3]))))
    # Pillow compares with the stretched values.
    values = np.dstack([few * (255 // (2**bits - 1)), np.where(few == few[2, 3], 0, 255)]).astype(np.uint8)
    add(f"png, grey of {bits} bits, one transparent", data, "PNG", values, alpha=True)
key = (b"tRNS", struct.pack(">HHH", *(int(v) for v in RGB[2, 3])))
by_pillow("png, rgb, one transparent", png(RGB, 8, 2, key))
key = (b"tRNS", struct.pack(">HHH", *(int(v) for v in DEEP[2, 3, :3])))
opaque = np.where((DEEP[..., :3] == DEEP[2, 3, :3]).all(-1), 0, 65535).astype(np.uint16)
deep = np.dstack([DEEP[..., :3], opaque])
add("png, rgb of 16 bits, one transparent", png(DEEP[..., :3], 16, 2, key), "PNG", deep, alpha=True)
for mode in ("RGB", "RGBA", "LA"):
    by_pillow(f"png, {mode}", saved(Image.fromarray(RGBA).convert(mode), "PNG"))
for interlaced in (False, True):
    for count, colour in ((1, 0), (2, 4), (3, 2), (4, 6)):
        data = png(DEEP[..., :count], 16, colour, interlaced=interlaced)
        name = f"png, {count} of 16 bits" + interlaced * ", interlaced"
        # imagecodecs does not read interlaced ones whole.
        values = DEEP[..., :count] if interlaced else imagecodecs.png_decode(data)
        add(name, data, "PNG", values, alpha=count % 2 == 0)
    colours, clear = (b"PLTE", noise[:48]), (b"tRNS", noise[500:510])
    data = png(GREY >> 4, 4, 3, colours, clear, interlaced=interlaced)
    by_pillow("png, palette with alpha of some" + interlaced * ", interlaced", data)
by_pillow("png, resolution", saved(Image.fromarray(GREY), "PNG", dpi=(254, 127)))
by_pillow("png, ratio without a unit", png(GREY, 8, 0, (b"pHYs", struct.pack(">IIB", 3, 2, 0))))

big = Image.fromarray(np.repeat(np.repeat(RGB, 3, 0), 3, 1))
for mode in ("RGB", "L"):
    by_pillow(f"jpeg, {mode}", saved(big.convert(mode), "JPEG"))
    by_pillow(f"jpeg, {mode}, progressive", saved(big.convert(mode), "JPEG", progressive=True))
for ink in (saved(Image.merge("CMYK", [b.resize((W, H)) for b in Image.fromarray(RGBA).split()]), "JPEG"),):
    by_pillow("jpeg, ink", ink)
for corner in range(1, 9):
    exif = Image.Exif()
    exif.endian = "<>"[corner % 2]
    exif[274] = corner
    exif[270] = "a text"
    by_pillow(f"jpeg, turned {corner}", saved(big, "JPEG", exif=exif))
by_pillow("jpeg, resolution", saved(big, "JPEG", dpi=(300, 150)))
for unit, name in ((2, "inch"), (3, "centimetre"), (1, "none")):
    exif = Image.Exif()
    exif[274], exif[282], exif[283], exif[296] = 6, IFDRational(600, 2), IFDRational(600, 2), unit
    data = saved(big, "JPEG", exif=exif)
    values = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    add(f"jpeg, EXIF's resolution, {name}", data, "JPEG", values, dpi={2: (300, 300), 3: (762, 762)}.get(unit))

WIDE = DEEP[..., 0].astype(np.int64)
KINDS = {
    "uint8": GREY, "int8": GREY.astype(np.int16) - 100, "uint16": DEEP[..., 0], "int16": WIDE - 30000,
    "uint32": WIDE * 65537, "int32": (WIDE - 30000) * 32767, "uint64": WIDE * 2**47, "int64": (WIDE - 30000) * 2**47,
    "float16": WIDE / 7 - 5, "float32": WIDE / 7 - 5, "float64": WIDE / 7 - 5,
}
HALVES = np.array([0, -0.0, 1, -2, 65504, 6e-8, 6e-5, np.inf, -np.inf, 0.333], np.float16)[None]
for kind, values in KINDS.items():
    for order in "<>":
        by_tifffile(f"tiff, {kind}, {order}", tiff(values.astype(kind), byteorder=order))
by_tifffile("tiff, halves", tiff(HALVES))
for kind in ("uint8", "uint16", "int16", "float32"):
    values = KINDS[kind].astype(kind)
    for compression in ("zlib", "lzw", "packbits", "zstd", "lzma"):
        by_tifffile(f"tiff, {kind}, {compression}", tiff(values, compression=compression))
    for compression in ("zlib", "lzw"):
        by_tifffile(f"tiff, {kind}, {compression}, predicted", tiff(values, compression=compression, predictor=True))
    wide = np.tile(values, (4, 3))
    by_tifffile(f"tiff, {kind}, tiles", tiff(wide, tile=(16, 16), compression="zlib"))
    by_tifffile(f"tiff, {kind}, strips", tiff(wide, rowsperstrip=3, compression="lzw"))
    rgb = np.stack([values, values[::-1], values[:, ::-1]], -1)
    for planes in ("contig", "separate"):
        data = rgb if planes == "contig" else np.moveaxis(rgb, -1, 0)
        by_tifffile(f"tiff, rgb of {kind}, {planes}", tiff(data, photometric="rgb", planarconfig=planes))
for kind, four in (("uint8", RGBA), ("uint16", DEEP)):
    for extra in ("unspecified", "unassalpha", "assocalpha"):
        by_tifffile(f"tiff, rgb of {kind} and {extra}", tiff(four, photometric="rgb", extrasamples=[extra]))
        two = np.ascontiguousarray(four[..., 2:])
        by_tifffile(
            f"tiff, grey of {kind} and {extra}",
            tiff(two, photometric="minisblack", planarconfig="contig", extrasamples=[extra]))
    planes = np.moveaxis(four, -1, 0)
    data = tiff(planes, photometric="rgb", planarconfig="separate", extrasamples=["assocalpha"])
    by_tifffile(f"tiff, rgb of {kind} and multiplied alpha in planes", data)
    by_tifffile(f"tiff, ink of {kind}", tiff(four, photometric="separated"))
    by_tifffile(f"tiff, white of {kind}", tiff(four[..., 0], photometric="miniswhite"))
    three = np.ascontiguousarray(four[..., :3])
    by_tifffile(
        f"tiff, three samples of {kind}",
        tiff(three, photometric="minisblack", planarconfig="contig", extrasamples=["unspecified"] * 2))
by_tifffile("tiff, palette", tiff(GREY, photometric="palette", colormap=np.frombuffer(noise[:768] * 2, "<u2").reshape(3, 256)))
by_tifffile("tiff, jpeg", tiff(np.tile(RGB, (4, 3, 1)), photometric="rgb", compression="jpeg", tile=(16, 16)))
for bits in (1, 2, 4):
    for photometric in (0, 1):
        strip = b"".join(packed(GREY >> (8 - bits), bits))
        tags = {256: W, 257: H, 258: bits, 259: 1, 262: photometric, 273: 110, 277: 1, 278: H, 279: len(strip)}
        head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
        head += b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
        file = head.ljust(110 + 12, b"\0")[:122] + strip
        file = file.replace(struct.pack("<HHII", 273, 3, 1, 110), struct.pack("<HHII", 273, 3, 1, 122))
        by_tifffile(f"tiff, {'grey' if photometric else 'white'} of {bits} bits", file)
stack = [KINDS["uint16"] + 1000 * i for i in range(3)]
for page in range(3):
    by_tifffile(f"tiff, page {page}", tiff(*stack, compression="zlib"), page=page)
    by_tifffile(f"tiff, page {page}, 64-bit places", tiff(*stack, bigtiff=True, byteorder="<>"[page % 2]), page=page)
data = tiff(GREY, resolution=(254, 127), resolutionunit="inch")
by_tifffile("tiff, pixels an inch", data, (254, 127))
data = tiff(GREY, resolution=(100, 50), resolutionunit="centimeter")
by_tifffile("tiff, pixels a centimetre", data, (254, 127))
by_tifffile("tiff, a ratio without a unit", tiff(GREY, resolution=(100, 50), resolutionunit="none"))
for corner in range(1, 9):
    by_pillow(f"tiff, turned {corner}", saved(Image.fromarray(DEEP[..., 0]), "TIFF", tiffinfo={274: corner}))
data = saved(Image.fromarray(GREY), "TIFF", tiffinfo={274: 6}, dpi=(254, 127))
add("tiff, turned with its resolution", data, "TIFF", np.rot90(GREY, -1), dpi=(127, 254))

for kind, mode in (("BMP", "RGB"), ("PPM", "RGB"), ("PPM", "L")):
    picture = Image.fromarray(RGB).convert(mode)
    name = "BMP" if kind == "BMP" else "PNM"
    dpi = None
    add(f"{kind.lower()}, {mode}", saved(picture, kind), name, np.array(picture), dpi=dpi)

(pathlib.Path(__file__).parent / "whole.txt").write_text("\n".join(lines) + "\n")
print(len(lines), "pictures")
