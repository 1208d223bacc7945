"""The table of measures on the CT: by label, against scikit-image, SimpleITK and plain NumPy."""
import json

import nibabel
import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes, mesh_surface_area, regionprops

from imaging_geometry import identity
from imaging_zoo import ct

# JSON has 17 digits; what is summed in another order differs by some of the last.
LIMIT = 1e-9


def measures(bench):
    """Bone of the CT: its largest part without holes; no voxel lies on the threshold, where rounding would decide."""
    pipeline = bench.pipeline("measures", identity(bench.folder / "identity.onnx"), {
        "task": "segmentation", "labels": ["bone"], "input": {"channels": [{"name": "CT"}], "axes": "ijk"},
        "tiling": {"scheme": "monai", "size": [64, 64, 64], "overlap": 0.25},
        "output": {"decision": {"threshold": 300.5}},
        "postprocessing": ["largest_component", "fill_holes"],
        "results": {"image": "labels.nii.gz", "measures": ["measures.json", "measures.csv"], "picture": "overlay.png"}})
    results, _ = bench.apply(pipeline, ct(bench))
    image = nibabel.load(ct(bench))
    values = np.asarray(image.dataobj).astype(float)
    sides = nibabel.affines.voxel_sizes(image.affine)

    parts, _ = ndimage.label(values > 300.5)
    largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    mask = ndimage.binary_fill_holes(largest)
    found = np.asarray(nibabel.load(results / "labels.nii.gz").dataobj) > 0
    bench.check("measures, threshold, largest part, holes", np.array_equal(found, mask),
                f"{np.count_nonzero(found != mask)} of {mask.sum()} voxels differ from SciPy's")
    row = json.loads((results / "measures.json").read_text())["regions"][0]

    def compare(name, wanted, limit=LIMIT):
        far = abs(row[name] - wanted) / max(1e-9, abs(wanted))
        bench.check(f"measures, {name}", far <= limit, f"{row[name]:.6g}, reference {wanted:.6g}, {far:.1e} apart")

    inside = values[found]
    region = regionprops(found.astype(np.uint8), values, spacing=sides)[0]
    compare("voxels", region.num_pixels)
    compare("volume_ml", region.area / 1000)
    compare("mean", region.intensity_mean)
    compare("sd", inside.std())
    for p in (5, 25, 50, 75, 95):
        compare(f"p{p}", np.percentile(inside, p))
    for axis, name in enumerate("ijk"):
        compare(f"centroid_{name}_voxel", region.centroid[axis] / sides[axis])
    world = image.affine @ [*(np.array(region.centroid) / sides), 1]
    for axis, name in enumerate("xyz"):
        compare(f"centroid_{name}_mm", world[axis])

    shape = sitk.LabelShapeStatisticsImageFilter()
    picture = sitk.GetImageFromArray(found.astype(np.uint8).T)
    picture.SetSpacing([float(x) for x in sides])
    shape.Execute(picture)
    compare("volume_ml", shape.GetPhysicalSize(1) / 1000)
    vertices, faces, *_ = marching_cubes(np.pad(found, 1).astype(float), 0.5, spacing=sides, method="lorensen")
    compare("surface_mm2", mesh_surface_area(vertices, faces))
    bench.note("measures, SimpleITK's estimate of the surface from crossings", f"{shape.GetPerimeter(1):.0f} mm²")

    where = np.argwhere(found) * sides
    corners = where[ConvexHull(where).vertices]
    compare("longest_diameter_mm", pdist(corners).max())
    slices = [np.argwhere(found[:, :, k]) * sides[:2] for k in range(found.shape[2])]
    lengths = [pdist(x[ConvexHull(x).vertices]).max() if len(x) > 3 and np.ptp(x, 0).min() > 0 else 0 for x in slices]
    compare("longest_in_slice_mm", max(lengths))
