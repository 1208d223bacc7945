"""Strings, images from files, and Fourier transforms."""

import re
import struct
import zlib

import numpy as np

from version_judges import ByHand

from .table import case, floats, ints, scalar, strings, typed, values

WORDS = strings("Monday", "tuesday", "\u00c4rger", "the", "THE")
case("StringConcat", "*", strings("a", "", "\u00e9"), strings("b", "c", ""))
case("StringConcat", "*", strings("a", "b").reshape(2, 1), strings("x", "y", "z"))
case("StringNormalizer", "*", WORDS, judge=ByHand(lambda x: x),
     wrong="Nothing asks for a change; the reference takes the accents off.")
case("StringNormalizer", "*", WORDS, case_change_action="LOWER", locale="en_US", judge=ByHand(lambda x,
     **_: np.array([v.lower() for v in x], object)))
case("StringNormalizer", "*", WORDS, case_change_action="UPPER", stopwords=["the"], judge=ByHand(
    lambda x, **_: np.array([v.upper() for v in x if v.lower() != "the"], object)))
case("StringNormalizer", "*", WORDS, is_case_sensitive=1, stopwords=["the", "Monday"], judge=ByHand(
    lambda x, **_: np.array([v for v in x if v not in ("the", "Monday")], object)))
case("StringNormalizer", "*", WORDS[None, 3:], stopwords=["the"], judge=ByHand(lambda x, **_: strings("").reshape(1,
     1)))


def string_split(x, delimiter="", maxsplit=None):
    parts = [v.split(delimiter or None, -1 if maxsplit is None else maxsplit) for v in x]
    width = max(len(p) for p in parts)
    return np.array([p + [""] * (width - len(p)) for p in parts], object), np.array([len(p) for p in parts], np.int64)


TEXTS = strings("a b  c", " d ", "e,f,g", "")
case("StringSplit", "*", TEXTS, outputs=2, judge=ByHand(string_split))
case("StringSplit", "*", TEXTS, outputs=2, delimiter=",", judge=ByHand(string_split))
case("StringSplit", "*", TEXTS, outputs=2, delimiter=",", maxsplit=1, judge=ByHand(string_split))
for pattern in (r"\w+", r"[a-z ]*c", r"(?i)MON.*|the", r""):
    case("RegexFullMatch", "*", np.concatenate([TEXTS, WORDS]), pattern=pattern, bind={"T2": "tensor(bool)"},
         judge=ByHand(
        lambda x, pattern: np.array([re.fullmatch(pattern, v, re.ASCII) is not None for v in x])))


GRAMS = {"max_gram_length": 2, "min_gram_length": 2, "max_skip_count": 1, "ngram_counts": [0, 3], "ngram_indexes": [0,
    1, 2, 3, 4],
         "pool_int64s": [2, 3, 5, 5, 6, 7, 8]}
NUMBERS = typed("int32", ints(1, 1, 3, 3, 3, 7, 5, 6, 7, 8, 6, 7))
for mode in ("TF", "IDF", "TFIDF"):
    for more in [{"weights": [2.0, 0.5, 3.0, 1.0, 1.5]}] + [{}] * (mode == "TF"):
        case("TfIdfVectorizer", "*", NUMBERS, mode=mode, **(GRAMS | {"min_gram_length": 1}), **more,
             types=mode == "TF" and not more, skip=("string",))
        case("TfIdfVectorizer", "*", typed("int64", NUMBERS.reshape(2, 6)), mode=mode, **GRAMS, **more, types=False)
case("TfIdfVectorizer", "*", strings("a", "b", "a", "c"), mode="TF", max_gram_length=2, min_gram_length=1,
     max_skip_count=0, ngram_counts=[0, 2],
     ngram_indexes=[0, 1, 2], pool_strings=["a", "c", "a", "b"], types=False, judge=ByHand(lambda x, **_: floats(2, 1,
         1)))


def png(image):
    """The bytes of a PNG file with these rows of pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    height, width, _ = image.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    return np.frombuffer(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT",
        zlib.compress(rows)) + chunk(b"IEND", b""), np.uint8)


COLOURS = (np.arange(5 * 7 * 3).reshape(5, 7, 3) * 37 % 251).astype(np.uint8)
GREY = np.repeat(COLOURS[:, :, :1], 3, 2)
case("ImageDecoder", "*", png(COLOURS), types=False, judge=ByHand(lambda x: COLOURS))
case("ImageDecoder", "*", png(COLOURS), pixel_format="BGR", types=False, judge=ByHand(lambda x, pixel_format: COLOURS[:,
     :, ::-1]))
case("ImageDecoder", "*", png(GREY), pixel_format="Grayscale", types=False, judge=ByHand(lambda x, pixel_format: GREY[:,
     :, :1]))

# Fourier transforms against numpy's, at lengths that are powers of two, odd, and prime.


def complexes(x):
    return x[..., 0].astype(np.float64) + 1j * x[..., 1] if x.shape[-1] == 2 else x[..., 0].astype(np.float64)


def dft(x, length=None, axis_input=None, axis=1, inverse=0, onesided=0):
    axis = axis if axis_input is None else int(axis_input)
    axis = axis if axis >= 0 else axis + x.ndim
    length = x.shape[axis] if length is None else int(length)
    z = complexes(x)
    if onesided and inverse:
        return np.fft.irfft(z, length, axis)[..., None].astype(x.dtype)
    y = np.fft.ifft(z, length, axis) if inverse else np.fft.rfft(z, length, axis) if onesided else np.fft.fft(z, length,
        axis)
    return np.stack([y.real, y.imag], -1).astype(x.dtype)


for shape in [(2, 8, 3, 1), (1, 7, 2), (1, 13, 1), (1, 12, 2)]:
    case("DFT", "17", values(*shape), judge=ByHand(dft))
    case("DFT", "17", values(*shape), judge=ByHand(dft), inverse=1)
    last = scalar(1)
    case("DFT", "20-", values(*shape), None, last, judge=ByHand(dft))
    case("DFT", "20-", values(*shape), None, last, judge=ByHand(dft), inverse=1)
case("DFT", "17", values(2, 5, 3, 1), judge=ByHand(dft), axis=2, onesided=1)
case("DFT", "17", values(2, 5, 3, 1), scalar(8), judge=ByHand(dft), onesided=1)
case("DFT", "17", values(1, 5, 2), scalar(4), judge=ByHand(dft))
case("DFT", "17", values(1, 6, 1), typed("int32", scalar(4)), judge=ByHand(dft))
case("DFT", "20-", values(1, 6, 1), typed("int32", scalar(4)), scalar(1), judge=ByHand(dft), types=False)
case("DFT", "20-", values(2, 5, 3, 1), None, scalar(-2), judge=ByHand(dft), onesided=1)
case("DFT", "20-", values(2, 5, 3, 1), scalar(8), scalar(1), judge=ByHand(dft), onesided=1)
case("DFT", "20-", values(2, 5, 3, 2), scalar(4), scalar(1), judge=ByHand(dft))


def stft(signal, step, window=None, length=None, onesided=1):
    step = int(step)
    length = len(window) if length is None else int(length)
    window = np.ones(length) if window is None else window
    z = complexes(signal)
    starts = range(0, z.shape[1] - length + 1, step)
    frames = np.stack([z[:, s:s + length] * window for s in starts], 1)
    y = np.fft.rfft(frames) if onesided and not np.iscomplexobj(frames) else np.fft.fft(frames)
    return np.stack([y.real, y.imag], -1).astype(signal.dtype)


SIGNAL = values(2, 32, 1)
WINDOW = np.hanning(9)[:8].astype(np.float32)
case("STFT", "*", SIGNAL, scalar(4), WINDOW, judge=ByHand(stft))
case("STFT", "*", SIGNAL, scalar(4), WINDOW, scalar(8), judge=ByHand(stft), onesided=0)
case("STFT", "*", SIGNAL, scalar(5), None, scalar(7), judge=ByHand(stft))
case("STFT", "*", values(1, 20, 2), scalar(6), None, scalar(8), judge=ByHand(stft), onesided=0)
