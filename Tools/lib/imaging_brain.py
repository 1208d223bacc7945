"""Brain extraction on Debian's ch2, as it is and turned, flipped and resampled, against ch2bet."""
import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from nibabel.processing import resample_from_to

from imaging_support import TEMPLATES, dice

LEAST_DICE = 0.92
LEAST_BETWEEN = 0.97
TURNED = ("LPS", "ASR", "PIR", "SAL", "RSA", "IPL")
SPACINGS = ((0.5, 0.5, 0.5), (1, 1, 4), (2.5, 1.2, 1))


def reoriented(image, codes):
    return image.as_reoriented(ornt_transform(io_orientation(image.affine), axcodes2ornt(codes)))


def resampled(image, spacing):
    """Over the same field of view, by a cubic spline."""
    old = nibabel.affines.voxel_sizes(image.affine)
    shape = np.maximum(1, np.round(np.array(image.shape) * old / spacing)).astype(int)
    scale = np.array(image.shape) / shape
    affine = image.affine @ nibabel.affines.from_matvec(np.diag(scale), (scale - 1) / 2)
    return resample_from_to(image, (tuple(shape), affine), order=3)


def mask_of(bench, pipeline, image, name):
    path = bench.folder / f"{name}.nii.gz"
    nibabel.save(image, path)
    results, _ = bench.apply(pipeline, path)
    return nibabel.load(results / "mask.nii.gz")


def brain(bench):
    pipeline = bench.models / "brain-extraction"
    head = nibabel.load(TEMPLATES / "ch2.nii.gz")
    truth = nibabel.load(TEMPLATES / "ch2bet.nii.gz")
    truth = nibabel.Nifti1Image((truth.get_fdata() > 0).astype(np.uint8), truth.affine)

    def against_truth(title, mask):
        wanted = np.asarray(resample_from_to(truth, mask, order=0).dataobj) > 0
        overlap = dice(np.asarray(mask.dataobj) > 0, wanted)
        bench.check(f"brain, {title}: Dice against ch2bet", overlap >= LEAST_DICE, f"{overlap:.4f}")

    first = mask_of(bench, pipeline, head, "ch2")
    plain = np.asarray(first.dataobj)
    against_truth("as it is", first)
    same_place = np.allclose(first.affine, head.affine, atol=1e-5)
    bench.check("brain, mask's affine", same_place, f"on ch2's grid {first.shape}")

    for codes in TURNED:
        turned = reoriented(head, codes)
        mask = mask_of(bench, pipeline, turned, f"ch2-{codes}")
        same_place = np.allclose(mask.affine, turned.affine, atol=1e-4)
        differing = np.count_nonzero(np.asarray(reoriented(mask, "RAS").dataobj) != plain)
        bench.check(f"brain, stored as {codes}", same_place and differing == 0, f"{differing} voxels differ")
    for axis in range(3):
        affine = head.affine @ flip(axis, head.shape[axis])
        stored = nibabel.Nifti1Image(np.flip(np.asarray(head.dataobj), axis), affine)
        mask = mask_of(bench, pipeline, stored, f"ch2-flip{axis}")
        same_place = np.allclose(mask.affine, affine, atol=1e-4)
        differing = np.count_nonzero(np.flip(np.asarray(mask.dataobj), axis) != plain)
        title = f"brain, stored flipped along {'ijk'[axis]}"
        bench.check(title, same_place and differing == 0, f"{differing} voxels differ")
    for spacing in SPACINGS:
        title = "×".join(f"{x:g}" for x in spacing) + " mm"
        mask = mask_of(bench, pipeline, resampled(head, spacing), "ch2-" + title.replace(" ", ""))
        against_truth(title, mask)
        back = np.asarray(resample_from_to(mask, first, order=0).dataobj)
        overlap = dice(back > 0, plain > 0)
        bench.check(f"brain, {title}: Dice with ch2's mask", overlap >= LEAST_BETWEEN, f"{overlap:.4f}")


def flip(axis, count):
    matrix = np.eye(4)
    matrix[axis, axis], matrix[axis, 3] = -1, count - 1
    return matrix
