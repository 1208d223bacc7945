"""Writes pictures.txt beside it: small files of every format and their pixels as Pillow reads them.

Needs Pillow 13 and numpy. A line a picture: a name, the format, width and height, then in hexadecimal the file, its
pixels as RGB, and as grey. Pillow cuts 16-bit grey off at 255; here it gives its upper 8 bits, as 16-bit colour does.
"""

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

W, H = 11, 7
Y, X = np.mgrid[:H, :W]
RGB = np.stack([X * 255 // (W - 1), Y * 255 // (H - 1), X * Y * 4 % 256], -1).astype(np.uint8)
RGBA = np.dstack([RGB, ((X + 2 * Y) * 11 % 256).astype(np.uint8)])
GREY = RGB[..., 2]
DEEP = GREY.astype(np.int64) * 257 - 3 * (GREY > 3)
MODES = {
    "rgb": Image.fromarray(RGB), "rgba": Image.fromarray(RGBA), "grey": Image.fromarray(GREY),
    "bits": Image.fromarray(GREY).convert("1"), "palette": Image.fromarray(RGB).quantize(40),
    "palette13": Image.fromarray(RGB).quantize(13), "palette2": Image.fromarray(RGB).quantize(2),
    "alpha": Image.fromarray(RGBA).convert("LA"), "ink": Image.merge("CMYK", Image.fromarray(RGBA).split()),
    "luma": Image.fromarray(RGB).convert("YCbCr"), "deep": Image.fromarray(DEEP.astype(np.uint16)),
}
rows = []


def add(name, data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    kind = {"JPEG2000": "JPEG 2000", "WEBP": "WebP", "PPM": "PNM"}.get(picture.format, picture.format)
    if picture.mode.startswith("I"):
        rgb = np.array(Image.fromarray((np.array(picture) >> 8).astype(np.uint8)).convert("RGB"))
        grey = rgb[..., 0]
    else:
        rgb, grey = np.array(picture.convert("RGB")), np.array(picture.convert("L"))
    cells = [name, kind, str(picture.width), str(picture.height), data.hex(), rgb.tobytes().hex(), grey.tobytes().hex()]
    rows.append("\t".join(cells))


def save(name, kind, mode, **options):
    file = io.BytesIO()
    MODES[mode].save(file, kind, **options)
    add(f"{name}, {mode}", file.getvalue())


def packed(rows_of_samples, bits):
    """Rows of samples, each row padded to whole bytes."""
    result = b""
    for row in rows_of_samples:
        text = "".join(format(int(v), f"0{bits}b") for v in np.ravel(row))
        text += "0" * (-len(text) % 8)
        result += bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    return result


def png(samples, bits, colour, interlaced, palette=b"", more=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x, y, across, down in passes:
        part = samples[y::down, x::across]
        if part.size:
            raw += b"".join(b"\0" + packed([row], bits) for row in part)
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    middle = chunk(b"PLTE", palette) if palette else b""
    if more:
        middle = chunk(more[:4], more[4:]) + middle
    data = chunk(b"IDAT", zlib.compress(raw, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + middle + data + chunk(b"IEND", b"")


def bmp(bits, data, width, height, compression=0, extra=b"", colours=0):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, colours, 0) + extra
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(data), 0, 0, 14 + len(head)) + head + data


def tiff(bits, photometric, strips, samples=1, order="<", tile=None, rows_per_strip=H, **more):
    tags = {
        256: (4, [W]), 257: (4, [H]), 258: (3, [bits] * samples), 259: (3, [1]), 262: (3, [photometric]),
        277: (3, [samples]), 284: (3, [more.get("planes", 1)]),
    }
    if "extra" in more:
        tags[338] = (3, [more["extra"]])
    if "palette" in more:
        tags[320] = (3, more["palette"])
    places, sizes = (324, 325) if tile else (273, 279)
    if tile:
        tags[322], tags[323] = (3, [tile[0]]), (3, [tile[1]])
    else:
        tags[278] = (4, [rows_per_strip])
    tags[sizes] = (4, [len(strip) for strip in strips])
    tags[places] = (4, [0] * len(strips))
    width = {3: 2, 4: 4}
    data = 8 + 2 + 12 * len(tags) + 4
    at = data + sum(width[t] * len(v) + width[t] * len(v) % 4 for t, v in tags.values() if width[t] * len(v) > 4)
    starts = []
    for strip in strips:
        starts.append(at)
        at += len(strip)
    tags[places] = (4, starts)
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    tail = b""
    for tag, (kind, values) in sorted(tags.items()):
        value = b"".join(struct.pack(order + ("H" if kind == 3 else "I"), v) for v in values)
        if len(value) > 4:
            out += struct.pack(order + "HHII", tag, kind, len(values), data + len(tail))
            tail += value + b"\0" * (len(value) % 4)
        else:
            out += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    return out + struct.pack(order + "I", 0) + tail + b"".join(strips)


noise = np.random.default_rng(1).integers(0, 256, 1024, dtype=np.uint8).tobytes()

for mode in ("rgb", "grey", "bits", "palette", "palette13"):
    save("bmp", "BMP", mode)
add("bmp, 5 bits each", bmp(16, noise[:96], 8, 6))
add("bmp, fields of 5, 6 and 5 bits", bmp(16, noise[:96], 8, 6, 3, struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
add("bmp, 32 bits from the top", bmp(32, noise[:192], 8, -6))
add("bmp, fields of 8 bits", bmp(32, noise[:192], 8, 6, 3, struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)))
runs = bytes.fromhex("030700030102030002090000080500000002030105060000080100000802 0001")
add("bmp, runs of 8 bits", bmp(8, runs, 8, 6, 1, noise, 256))
runs = bytes.fromhex("0317000512345000000008 5a0000080100000821000008770000080100 01")
add("bmp, runs of 4 bits", bmp(4, runs, 8, 6, 2, noise[:64], 16))
core = b"BM" + struct.pack("<IHHIIHHHH", 0, 0, 0, 32, 12, 9, 2, 1, 1) + noise[:6]
add("bmp, OS/2", core + bytes([0xAA, 0x80, 0, 0, 0x55, 0, 0, 0]))

for mode in ("rgb", "grey", "bits", "deep"):
    save("pnm", "PPM", mode)
add("pnm, text of bits", b"P1\n# a comment\n3 2\n101\n0 1#x\n 0")
add("pnm, text of grey", b"P2 3 2 15 0 1 2 3 # hi\n 14 15\n")
add("pnm, text of colour", b"P3 2 1 1000 0 500 1000 3 4 5\n")
add("pnm, 4 bits", b"P5 3 2 15\n\0\1\2\3\16\17")
add("pnm, 10 bits", b"P6\n#a\n2 1\n1023\n" + bytes([0, 1, 2, 3, 3, 255, 0, 77, 1, 0, 3, 0]))

for interlaced in (False, True):
    kind = "png, interlaced" if interlaced else "png"
    for bits in (1, 2, 4, 8, 16):
        add(f"{kind}, grey of {bits} bits", png(DEEP >> (16 - bits), bits, 0, interlaced))
    for bits in (1, 2, 4, 8):
        add(f"{kind}, palette of {bits} bits", png(GREY >> (8 - bits), bits, 3, interlaced, noise[: 3 << bits]))
    for bits, scale in ((8, 1), (16, 257)):
        for colour, name, samples in ((2, "rgb", RGB), (6, "rgba", RGBA), (4, "grey and alpha", RGBA[..., 2:])):
            deep = samples.astype(np.int64) * scale - (5 * (samples > 5) if bits == 16 else 0)
            add(f"{kind}, {name} of {bits} bits", png(deep, bits, colour, interlaced))
add("png, with a gamma that is left alone", png(RGB, 8, 2, False, more=b"gAMA" + struct.pack(">I", 100000)))
save("png", "PNG", "palette")

turned = Image.Exif()
turned[274] = 6
for mode in ("rgb", "grey", "ink"):
    save("jpeg", "JPEG", mode)
    save("jpeg, progressive", "JPEG", mode, progressive=True)
save("jpeg, no subsampling", "JPEG", "rgb", subsampling=0, quality=95)
save("jpeg, 4:2:2", "JPEG", "rgb", subsampling=1, quality=30)
save("jpeg, not YCbCr", "JPEG", "rgb", keep_rgb=True)
save("jpeg, restarts", "JPEG", "rgb", restart_marker_blocks=1)
file = io.BytesIO()
MODES["rgb"].save(file, "JPEG")
add("jpeg, bytes before its end", file.getvalue()[:-2] + b"\0\0\0\0" + file.getvalue()[-2:])
save("jpeg, EXIF does not turn it", "JPEG", "rgb", exif=turned)

for mode in ("rgb", "rgba", "grey"):
    save("webp", "WEBP", mode)
    save("webp, lossless", "WEBP", mode, lossless=True)
save("webp, the first of an animation", "WEBP", "rgba", save_all=True, append_images=[MODES["rgb"].convert("RGBA")])

for mode in ("rgb", "rgba", "grey", "alpha", "ink", "deep"):
    save("jpeg 2000", "JPEG2000", mode)
save("jpeg 2000, bare", "JPEG2000", "rgb", no_jp2=True)
save("jpeg 2000, tiles", "JPEG2000", "rgb", tile_size=(8, 4))
save("jpeg 2000, lossy", "JPEG2000", "rgb", irreversible=True, quality_layers=[8])
# By opj_compress: YCbCr of 22 by 14 with chroma halved both ways; grey of 12 bits; grey of 8 bits with a sign.
HALVES = (
    "0000000c6a5020200d0a870a00000014667479706a703220000000006a7032200000002d6a70326800000016696864720000000e0000"
    "00160003070700000000000f636f6c7201000000000012000001076a703263ff4fff51002f0000000000160000000e00000000000000"
    "00000000160000000e00000000000000000003070101070202070202ff52000c00000001000104040001ff5c00074040484850ff6400"
    "25000143726561746564206279204f70656e4a5045472076657273696f6e20322e352e30ff90000a00000000008c0001ff93df820012"
    "2dbb5c8d1ea290dbda37ba5042c9f52060f9d5e8b0aa9bf2148f3bbedce6fe4b8ac30846e9767f7983d6bc54577709dbc89c24642f6f"
    "48a00b2527a4667a0fcfb444116530e258cb7181ed482602e95aaf00afcfb44c08e16fd713c93302e33ce5ad757fb69b29e23fc0f903"
    "403a184603e1cc207f53fdf78080ffd9"
)
DEEP_GREY = (
    "0000000c6a5020200d0a870a00000014667479706a703220000000006a7032200000002d6a70326800000016696864720000000e0000"
    "001600010b0700000000000f636f6c7201000000000011000002ac6a703263ff4fff5100290000000000160000000e00000000000000"
    "00000000160000000e000000000000000000010b0101ff52000c00000001000104040001ff5c00074060686870ff6400250001437265"
    "61746564206279204f70656e4a5045472076657273696f6e20322e352e30ff90000a0000000002370001ff93ff7893c0096c81c46180"
    "8eaba7489767a6a8336e61ce793d2fcc44ecd5d50a56a85e08a2a792fa145e3fa2ccc3ac44f4923cfdb1a64ac1cacc38fd8111e25b8d"
    "e835f9128b26d05de833c2b3cbdf9432903f0f4a00000060794eec48b4a1e51c598d5c0a794dc97530ad476a3a18d7d8ff10b1388102"
    "0405dfa948f8ff7894c7ff09427ff128601493fa2d05fb252e0dc2f60e4273872d906e110a25eedb8b1c9a3fc3f6f3bf26678fea4c83"
    "385bee1652d0bb3929915e03a35fd33bcdff48c6ef82c726f2f7fcaa1a43d1d9d3bcdffc434dc16393797bfe0ecf338b1c9bcbdff05e"
    "799c58e4de5eff4149e6716393797bfe0d4f538b1c9bcbdff10fe48f47726f2f7fc139ea716393797bfe14984bd1dc9bcbdff0786335"
    "a6d664e707763f888dbad96d7c99db59f04baecae74b25c302f5303385b632e58082b9bb4bd83de453de40f40f7db276b19d5a777c90"
    "46b22c81eeb71747fa84d8607312d55f1a3ba81e07badd42a3675248b31a88546cd6499663510a8d9b2541cc6a2151b3692a598d442a"
    "3679264b31a88546ce92d0e63510a8d9aa5a1cc6a21519d4b0c0e63510a8d71452a8c74be7f4b243f314118b17ba52c230faafa282b1"
    "f03128ad9a86e82dbadbf71daa03e389699b5d35dd5c12ace4cdae9aeeb117197336ba6bbabd5e40c2c9e52eea8b2306164f297753a3"
    "ae6164f297754b365ccdae9aeeb3d879336ba6bbacfe204cdae9aeea6f465336ba6bba9bf234cdae9aee8c232299b5d35dd1a99ea32d"
    "74d773ffd9"
)
SIGNED = (
    "0000000c6a5020200d0a870a00000014667479706a703220000000006a7032200000002d6a70326800000016696864720000000e0000"
    "00160001870700000000000f636f6c7201000000000011000000d96a703263ff4fff5100290000000000160000000e00000000000000"
    "00000000160000000e00000000000000000001870101ff52000c00000001000104040001ff5c00074040484850ff6400250001437265"
    "61746564206279204f70656e4a5045472076657273696f6e20322e352e30ff90000a0000000000640001ff93df8210122dbb367d5143"
    "249a8224e1e03daec03ebbc663d78010affe740773de0b078c046e015620b56b8ef3d8d9e30c0f4094ae987f9113c7289c5705a947c2"
    "30b62c3cf8c0f903407c22004603e1cc207f53fe0597ffd9"
)
add("jpeg 2000, halved chroma, rounded", bytes.fromhex(HALVES))
add("jpeg 2000, 12 bits", bytes.fromhex(DEEP_GREY))
add("jpeg 2000, signed", bytes.fromhex(SIGNED))

for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "lzma", "zstd"):
    save(f"tiff, {compression}", "TIFF", "rgb", compression=compression)
for compression in ("group3", "group4"):
    save(f"tiff, {compression}", "TIFF", "bits", compression=compression)
for mode in ("rgba", "grey", "alpha", "palette", "ink", "deep"):
    save("tiff", "TIFF", mode)
for compression in ("tiff_lzw", "tiff_adobe_deflate"):
    save(f"tiff, predicted, {compression}", "TIFF", "rgb", compression=compression, tiffinfo={317: 2})
for corner in range(1, 9):
    save(f"tiff, turned {corner}", "TIFF", "rgb", tiffinfo={274: corner})
save("tiff, rounded", "TIFF", "luma")
save("tiff, strips", "TIFF", "rgb", compression="tiff_lzw", strip_size=66)
save("tiff, 64-bit places", "TIFF", "rgb", big_tiff=True)
for order in "<>":
    name = f"tiff, {'II' if order == '<' else 'MM'}"
    for bits in (1, 2, 4, 8):
        strip = packed(GREY >> (8 - bits), bits)
        add(f"{name}, grey of {bits} bits", tiff(bits, 1, [strip], order=order))
        add(f"{name}, white of {bits} bits", tiff(bits, 0, [strip], order=order))
        palette = [v * 257 for v in noise[: 3 << bits]]
        add(f"{name}, palette of {bits} bits", tiff(bits, 3, [strip], order=order, palette=palette))
    wide = (RGBA.astype(np.int64) * 257 - 3 * (RGBA > 3)).astype(order + "u2")
    add(f"{name}, grey of 16 bits", tiff(16, 1, [wide[..., 2].tobytes()], order=order))
    add(f"{name}, rgb of 16 bits", tiff(16, 2, [wide[..., :3].tobytes()], 3, order))
    add(f"{name}, ink of 16 bits", tiff(16, 5, [wide.tobytes()], 4, order))
    for extra in (0, 1, 2):
        add(f"{name}, rgb and extra {extra}", tiff(8, 2, [RGBA.tobytes()], 4, order, extra=extra))
        add(f"{name}, rgb of 16 bits and extra {extra}", tiff(16, 2, [wide.tobytes()], 4, order, extra=extra))
planes = [RGB[..., i] for i in range(3)]
add("tiff, planes", tiff(8, 2, [p.tobytes() for p in planes], 3, planes=2))
parts = [p[y : y + 3].tobytes() for p in planes for y in range(0, H, 3)]
add("tiff, planes in strips", tiff(8, 2, parts, 3, rows_per_strip=3, planes=2))
whole = np.zeros((16, 16, 3), np.uint8)
whole[:H, :W] = RGB
add("tiff, one tile", tiff(8, 2, [whole.tobytes()], 3, tile=(16, 16)))

(pathlib.Path(__file__).parent / "pictures.txt").write_text("\n".join(rows) + "\n")
print(len(rows), "pictures")
