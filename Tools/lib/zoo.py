"""Fills the weightless graphs and unpacks the trained models; see Tools/zoo.

usage: zoo.py fill [NAME …] | fetch
"""

import hashlib
import lzma
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib

import numpy as np
import onnx

ZOO = pathlib.Path(__file__).resolve().parents[2] / "Models/zoo"
GRAPHS, FILLED, FETCHED = ZOO / "graphs", ZOO / "filled", ZOO / "fetched"

# name: (package, path in its wheel, SHA-256)
TRAINED = {
    "ocr_det":
        ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
         "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    "ocr_rec":
        ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
         "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
    "ocr_cls":
        ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
         "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    "silero_vad":
        ("silero-vad==6.2.3", "silero_vad/data/silero_vad.onnx",
         "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
    "magika":
        ("magika==1.0.3", "magika/models/standard_v3_3/model.onnx",
         "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c"),
}


def filled_weights(tensor):
    """Random numbers with the mean and standard deviation that doc_string keeps, for each group of equal length."""
    statistics = np.array(tensor.doc_string.split(), np.float32).reshape(-1, 2)
    mean, deviation = statistics[:, :1], statistics[:, 1:]
    length = int(np.prod(tensor.dims)) // len(statistics)
    generator = np.random.default_rng(zlib.crc32(tensor.name.encode()))
    return generator.standard_normal((len(statistics), length), dtype=np.float32) * deviation + mean


def save(data, path):
    """Writes all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


def fill(names):
    graphs = {path.name.removesuffix(".onnx.xz"): path for path in sorted(GRAPHS.glob("*.onnx.xz"))}
    if unknown := set(names) - set(graphs):
        sys.exit(f"zoo: no graph named {', '.join(sorted(unknown))}; there are: {', '.join(graphs)}")
    for name in names or graphs:
        path = FILLED / f"{name}.onnx"
        if path.exists():
            continue
        model = onnx.load_from_string(lzma.decompress(graphs[name].read_bytes()))
        for tensor in model.graph.initializer:
            if tensor.doc_string and not tensor.raw_data and not tensor.float_data:
                tensor.raw_data = filled_weights(tensor).tobytes()
                tensor.ClearField("doc_string")
        save(model.SerializeToString(), path)
        print(f"zoo: {path.relative_to(ZOO)}: {path.stat().st_size / 1e6:.1f} MB", flush=True)


def fetch():
    missing = [name for name in TRAINED if not (FETCHED / f"{name}.onnx").exists()]
    for package in sorted({TRAINED[name][0] for name in missing}):
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                            "--only-binary=:all:", "--dest", scratch, package], check=True)
            wheel = zipfile.ZipFile(next(pathlib.Path(scratch).glob("*.whl")))
            for name in missing:
                if TRAINED[name][0] != package:
                    continue
                data = wheel.read(TRAINED[name][1])
                if hashlib.sha256(data).hexdigest() != TRAINED[name][2]:
                    sys.exit(f"zoo: {package} holds another {TRAINED[name][1]} than expected")
                save(data, FETCHED / f"{name}.onnx")
                print(f"zoo: fetched/{name}.onnx: {len(data) / 1e6:.1f} MB", flush=True)
    light = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    for path in sorted(light.glob("light_*.onnx")):
        if not (FETCHED / path.name).exists():
            FETCHED.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, FETCHED / path.name)


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(sys.argv[2:])
    else:
        fetch()
