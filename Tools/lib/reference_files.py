"""Compares how volumes are read and written with nibabel, SimpleITK and pynrrd.

    reference_files.py COMMAND …      such as: reference_files.py .build/release/sardonyx

Files are made by those libraries, or are nibabel's own test files; `COMMAND convert INPUT OUTPUT` turns each into
another format; voxels, affines, frames and components of the result, as the libraries read it, must be those of the
input. So a comparison that passes has shown the reader of one format and the writer of another.
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile
import warnings

import nibabel
import nrrd
import numpy as np
import SimpleITK as sitk

warnings.filterwarnings("ignore")
LPS = np.diag([-1.0, -1, 1, 1])
NOT_VOLUMES = {"analyze.hdr": "ANALYZE", "nifti1.hdr": ".img", "nifti2.hdr": ".img"}
counts = {"same": 0, "different": 0}


def report(name, problem):
    counts["different" if problem else "same"] += 1
    if problem:
        print(f"{name}: {problem}")


def with_nibabel(path):
    """Voxels [i, j, k, frame, component] and the affine to RAS+."""
    image = nibabel.load(path)
    if isinstance(image, nibabel.Cifti2Image):
        image = nibabel.Nifti2Image.from_filename(path)
    voxels = np.asanyarray(image.dataobj)
    if voxels.dtype.names:
        voxels = np.stack([voxels[name] for name in voxels.dtype.names], -1)
        voxels = voxels.reshape(image.shape + (1,) * (4 - len(image.shape)) + voxels.shape[-1:])
    elif np.iscomplexobj(voxels):
        voxels = np.stack([voxels.real, voxels.imag], -1)
        voxels = voxels.reshape(image.shape + (1,) * (4 - len(image.shape)) + (2,))
    voxels = voxels.reshape(voxels.shape + (1,) * (5 - voxels.ndim))
    # What is past the fifth axis counts components too, the earlier axis faster.
    return voxels.reshape(voxels.shape[:4] + (-1,), order="F").astype(float), image.affine


def with_simpleitk(path):
    image = sitk.ReadImage(str(path))
    dimension = image.GetDimension()
    voxels = sitk.GetArrayFromImage(image)
    components = voxels.ndim > dimension
    voxels = np.moveaxis(voxels, -1, 0) if components else voxels[None]
    if np.iscomplexobj(voxels):
        voxels = np.concatenate([voxels.real, voxels.imag])
    voxels = voxels.transpose(*range(voxels.ndim - 1, -1, -1))
    voxels = voxels.reshape(voxels.shape[:-1] + (1,) * (4 - dimension) + voxels.shape[-1:])
    affine = np.eye(4)
    n = min(3, dimension)
    direction = np.array(image.GetDirection()).reshape(dimension, dimension)[:n, :n]
    affine[:n, :n] = direction * np.array(image.GetSpacing())[:n]
    affine[:n, 3] = np.array(image.GetOrigin())[:n]
    return voxels.astype(float), LPS @ affine


def with_pynrrd(path):
    """Of files whose axes are [component,] i, j, k [, frame], in LPS."""
    voxels, header = nrrd.read(str(path))
    directions = header["space directions"]
    first = int(np.isnan(directions[0][0]))
    voxels = voxels if first else voxels[None]
    voxels = voxels.reshape(voxels.shape + (1,) * (5 - voxels.ndim))
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions[first:first + 3])[:, :3].T
    affine[:3, 3] = header["space origin"][:3]
    return np.moveaxis(voxels, 0, -1).astype(float), LPS @ affine


def differences(wanted, found):
    (voxels, affine), (got, placed) = wanted, found
    if voxels.shape != got.shape:
        return f"the shape is {got.shape}, expected {voxels.shape}"
    if not np.allclose(affine, placed, rtol=1e-5, atol=1e-4 * np.abs(affine[:3, :3]).max()):
        return f"the affine is\n{placed}, expected\n{affine}"
    if not np.allclose(voxels, got, rtol=1e-6, atol=0, equal_nan=True):
        return f"the voxels differ, by up to {np.abs(voxels - got).max()}"
    return ""


class Comparison:
    def __init__(self, command, folder):
        self.command = command
        self.folder = folder

    def convert(self, source, ending, *options):
        target = self.folder / f"converted{ending}"
        target.unlink(missing_ok=True)
        done = subprocess.run([*self.command, "convert", str(source), str(target), *options], capture_output=True)
        return target, done.stderr.decode().strip() or (f"exit code {done.returncode}" if done.returncode else "")

    def check(self, name, source, wanted, endings=(".nii.gz", ".nrrd", ".mha")):
        """Converts `source` to each format that can hold it and reads what came out with every library that can."""
        for ending in endings:
            if wanted[0].shape[-1] > 1 and ending.startswith(".nii"):
                continue
            target, problem = self.convert(source, ending)
            readers = [with_simpleitk] + ([with_nibabel] if ".nii" in ending else []) + (
                [with_pynrrd] if ending == ".nrrd" else [])
            for reader in readers:
                title = f"{name} -> {ending}, {reader.__name__}"
                expected = wanted
                if reader is with_simpleitk and ".nii" in ending:
                    # ITK's NIfTI reader makes 0 of NaN.
                    expected = np.where(np.isnan(wanted[0]), 0, wanted[0]), wanted[1]
                report(title, problem or differences(expected, reader(target)))

    def nibabels_own(self):
        data = pathlib.Path(nibabel.__file__).parent / "tests/data"
        files = sorted(p for p in data.iterdir() if p.name.endswith((".nii", ".nii.gz", ".hdr", ".img")))
        for path in files:
            if path.name in NOT_VOLUMES:
                _, problem = self.convert(path, ".nii")
                report(path.name, "" if NOT_VOLUMES[path.name] in problem else f"no clear error: {problem}")
            else:
                self.check(path.name, path, with_nibabel(path))

    def types(self):
        """Every type of each format, in both byte orders and every encoding."""
        random = np.random.default_rng(3)
        affine = np.array([[-0.9, 0.1, 0, 20], [0.1, 1.1, 0.2, -30], [0, -0.2, 2.5, 40], [0, 0, 0, 1.0]])
        names = "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8".split()
        for name, order in itertools.product(names, "<>"):
            dtype = np.dtype(order + name)
            voxels = random.integers(0 if name[0] == "u" else -100, 120, (7, 6, 5, 2)).astype(dtype)
            if name[0] == "f":
                voxels += dtype.type(0.375)
            wanted = voxels.astype(float)[..., None], affine
            for version, ending in itertools.product((1, 2), (".nii", ".nii.gz", ".hdr")):
                kind = {1: nibabel.Nifti1Image, 2: nibabel.Nifti2Image}[version]
                if ending == ".hdr":
                    kind = {1: nibabel.Nifti1Pair, 2: nibabel.Nifti2Pair}[version]
                header = kind.header_class(endianness=order)
                header.set_data_dtype(dtype)
                path = self.folder / f"types{ending}"
                nibabel.save(kind(voxels, affine, header, dtype=dtype), path)
                self.check(f"NIfTI-{version} {dtype.str}{ending}", path, wanted, [".nrrd"])
            space = LPS @ affine
            fields = {
                "space": "left-posterior-superior", "space origin": space[:3, 3], "endian": "<>".index(order) and "big"
                or "little", "space directions": np.vstack([space[:3, :3].T, [np.nan] * 3]),
                "kinds": ["domain", "domain", "domain", "time"],
            }
            for encoding, ending in itertools.product(("raw", "gzip", "text"), (".nrrd", ".nhdr")):
                path = self.folder / f"types{ending}"
                nrrd.write(str(path), voxels, dict(fields, encoding=encoding))
                self.check(f"NRRD {dtype.str} {encoding}{ending}", path, wanted, [".mha"])
            flat = voxels.tobytes(order="F")
            head = nrrd_header(dtype, voxels.shape, space, "hex")
            path.write_bytes(head + b"\n".join(flat[i:i + 30].hex().encode() for i in range(0, len(flat), 30)))
            self.check(f"NRRD {dtype.str} hex", path, wanted, [".mha"])
            self.metaimages(dtype, voxels, affine, wanted)

    def metaimages(self, dtype, voxels, affine, wanted):
        image = sitk_image(voxels, affine)
        for ending, compressed in itertools.product((".mha", ".mhd"), (False, True)):
            path = self.folder / f"types{ending}"
            sitk.WriteImage(image, str(path), compressed)
            self.check(f"MetaImage {dtype.str}{ending} compressed {compressed}", path, wanted, [".nrrd"])
        # SimpleITK writes this machine's order; the same header with the other word and the bytes turned round.
        path = self.folder / "big.mhd"
        header = (self.folder / "types.mhd").read_text().replace("MSB = False", "MSB = True")
        header = header.replace("CompressedData = True", "CompressedData = False").replace("types.zraw", "big.raw")
        path.write_text("\n".join(x for x in header.split("\n") if not x.startswith("CompressedDataSize")))
        (self.folder / "big.raw").write_bytes(voxels.astype(dtype.newbyteorder(">")).tobytes(order="F"))
        self.check(f"MetaImage {dtype.str} big-endian", path, wanted, [".nrrd"])

    def places(self):
        """All 48 orientations, straight and oblique, in each format and out of it, and turned to another."""
        voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
        angle = 0.3
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        turn = turn @ np.array([[1, 0, 0], [0, np.cos(0.2), np.sin(0.2)], [0, -np.sin(0.2), np.cos(0.2)]])
        for order, signs in itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)):
            for rotation, title in ((np.eye(3), "straight"), (turn, "oblique")):
                affine = np.eye(4)
                affine[:3, :3] = rotation @ np.eye(3)[:, order] @ np.diag(signs) @ np.diag([0.7, 1.5, 3])
                affine[:3, 3] = [10.5, -20.25, 30]
                wanted = voxels.astype(float)[..., None, None], affine
                name = "".join(nibabel.aff2axcodes(affine)) + " " + title
                for ending, others in ((".nii.gz", [".nrrd"]), (".nrrd", [".mha"]), (".mha", [".nii.gz"])):
                    path = self.folder / f"place{ending}"
                    sitk.WriteImage(sitk_image(voxels, affine), str(path))
                    self.check(f"{name}{ending}", path, wanted, others)
                target, problem = self.convert(path, ".nii.gz", "--orientation", "PIR")
                image = nibabel.Nifti1Image(voxels, affine)
                turned = image.as_reoriented(nibabel.orientations.ornt_transform(
                    nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt("PIR")))
                there = turned.get_fdata()[..., None, None], turned.affine
                report(f"{name} to PIR", problem or differences(there, with_nibabel(target)))

    def components(self):
        """Vectors, colours and complex numbers, alone and in series; axes in odd places."""
        random = np.random.default_rng(5)
        affine = np.diag([-2.0, 1.5, 1, 1])
        affine[:3, 3] = [1, 2, 3]
        for count, dtype, frames in ((3, "u1", 1), (4, "u1", 1), (2, "f4", 1), (5, "i2", 1), (3, "f8", 2)):
            voxels = random.integers(0, 200, (5, 4, 3, frames, count)).astype(dtype)
            wanted = voxels.astype(float), affine
            image = sitk_image(voxels if frames > 1 else voxels[..., 0, :], affine, True)
            for ending in (".nrrd", ".mha", ".nii"):
                if ending == ".nii" and frames > 1:
                    continue
                path = self.folder / f"components{ending}"
                sitk.WriteImage(image, str(path))
                self.check(f"{count} of {dtype}, {frames} frames{ending}", path, wanted, [".nrrd", ".mha"])
            # The same with the components as the slowest axis, and between j and k.
            space = LPS @ affine
            for place in (0, 3, 2):
                values = np.moveaxis(voxels[..., 0, :], -1, place)
                directions = np.insert(space[:3, :3].T, place, np.nan, axis=0)
                kinds = ["domain"] * 3
                kinds.insert(place, "vector")
                path = self.folder / "place.nrrd"
                nrrd.write(str(path), values, {
                    "space": "left-posterior-superior", "space origin": space[:3, 3], "kinds": kinds,
                    "space directions": directions})
                alone = voxels[..., :1, :].astype(float), affine
                self.check(f"{count} of {dtype} on axis {place}.nrrd", path, alone, [".mha"])
        parts = random.normal(size=(4, 3, 2)) + 1j * random.normal(size=(4, 3, 2))
        path = self.folder / "complex.nii"
        nibabel.save(nibabel.Nifti1Image(parts.astype(np.complex64), affine), path)
        self.check("complex.nii", path, with_nibabel(path))

    def spaces(self):
        """NRRD's ways of saying where; SimpleITK is asked what they mean."""
        head = b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n"
        data = bytes(range(24))
        turned = b"space directions: (0,2,0) (0,0,-1.5) (0.5,0,0)\nspace origin: (1,2,3)\n"
        for name in ("RAS", "LAS", "LPS", "right-anterior-superior", "left-anterior-superior",
                     "left-posterior-superior"):
            content = head + f"space: {name}\n".encode() + turned + b"\n" + data
            self.against_simpleitk(f"space {name}", content)
        for title, text in (
            ("spacings", b"spacings: 0.5 2 3\n"), ("nothing", b""),
            ("space dimension", b"space dimension: 3\n" + turned),
            ("axis mins", b"spacings: 1 2 3\naxis mins: 4 5 6\n"),
            ("axis mins on nodes", b"spacings: 1 2 3\naxis mins: 4 5 6\ncenters: node node node\n"),
            ("a key and a comment", b"# says nothing\nkey:=value: none\nspacings: 1 2 3\n"),
        ):
            self.against_simpleitk(title, head + text + b"\n" + data)
        for text, before in ((b"byte skip: 5\n", b"12345"), (b"line skip: 2\n", b"a\nb\n"),
                             (b"byte skip: -1\n", b"any number of bytes")):
            self.against_simpleitk(text.decode(), head + text + b"\n" + before + data)

    def several_files(self):
        """Slices in files of their own, named one by one and by a pattern."""
        voxels = np.arange(4 * 3 * 5, dtype=np.uint8).reshape(5, 3, 4)
        for n in range(5):
            (self.folder / f"part{n + 3:02}.raw").write_bytes(b"head" + voxels[n].tobytes())
        names = "\n".join(f"part{n + 3:02}.raw" for n in range(5))
        field = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 5\nencoding: raw\nspacings: 1 2 3\n"
        field += "byte skip: 4\ndata file: "
        meta = "ObjectType = Image\nNDims = 3\nBinaryData = True\nHeaderSize = 4\nElementSpacing = 1 2 3\n"
        meta += "DimSize = 4 3 5\nElementType = MET_UCHAR\nElementDataFile = "
        for text, end in ((field + "part%02d.raw 3 7 1\n", ".nhdr"), (field + f"LIST\n{names}\n", ".nhdr"),
                          (meta + "part%02d.raw 3 7 1\n", ".mhd"), (meta + f"LIST\n{names}\n", ".mhd")):
            self.against_simpleitk(text[:4] + " " + text.split("\n")[-2], text.encode(), end)

    def against_simpleitk(self, name, content, ending=".nrrd"):
        path = self.folder / f"given{ending}"
        path.write_bytes(content)
        self.check(name, path, with_simpleitk(path), [".mha"])


def nrrd_header(dtype, shape, space, encoding):
    kind = {"u": "uint", "i": "int"}.get(dtype.kind)
    name = f"{kind}{8 * dtype.itemsize}" if kind else {4: "float", 8: "double"}[dtype.itemsize]
    vectors = " ".join("(" + ",".join(map(str, space[:3, n])) + ")" for n in range(3))
    origin = "(" + ",".join(map(str, space[:3, 3])) + ")"
    return (
        f"NRRD0004\ntype: {name}\ndimension: {len(shape)}\nspace: LPS\nsizes: {' '.join(map(str, shape))}\n"
        f"space directions: {vectors} none\nkinds: space space space time\nspace origin: {origin}\n"
        f"endian: {'big' if dtype.byteorder == '>' else 'little'}\nencoding: {encoding}\n\n").encode()


def sitk_image(voxels, affine, are_vectors=False):
    """Of voxels [i, j, k, frame, component]; the last two axes may be missing."""
    axes = list(range(voxels.ndim))
    axes = axes[-2::-1] + axes[-1:] if are_vectors else axes[::-1]
    image = sitk.GetImageFromArray(voxels.astype(voxels.dtype.newbyteorder("=")).transpose(axes), are_vectors)
    dimension = image.GetDimension()
    space = LPS @ affine
    spacing = np.linalg.norm(space[:3, :3], axis=0)
    direction = np.eye(dimension)
    direction[:3, :3] = space[:3, :3] / spacing
    image.SetSpacing([*spacing] + [1.0] * (dimension - 3))
    image.SetOrigin([*space[:3, 3]] + [0.0] * (dimension - 3))
    image.SetDirection(direction.ravel())
    return image


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(sys.argv[1:], pathlib.Path(folder))
        comparison.nibabels_own()
        comparison.types()
        comparison.places()
        comparison.components()
        comparison.spaces()
        comparison.several_files()
    print(f"{counts['same']} comparisons with nibabel, SimpleITK and pynrrd the same, {counts['different']} different")
    sys.exit(1 if counts["different"] or counts["same"] < 1000 else 0)


main()
