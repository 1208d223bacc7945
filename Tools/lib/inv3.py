"""inv3.py FILE.inv3 OUT.nii.gz: the volume of an InVesalius project as NIfTI.

A project is a tar with main.plist (shape, type and spacing) and the voxels as they are in memory: slices from the feet
to the head, rows from the back to the front (VTK's first row is the lowest), columns from the patient's right to the
left.
"""
import plistlib
import sys
import tarfile

import nibabel
import numpy as np


def image(path):
    with tarfile.open(path) as archive:
        files = {name.rpartition("/")[2]: name for name in archive.getnames()}
        plist = plistlib.loads(archive.extractfile(files["main.plist"]).read())
        matrix = plist["matrix"]
        data = archive.extractfile(files[matrix["filename"]]).read()
    slices = np.frombuffer(data, matrix["dtype"]).reshape(matrix["shape"])
    return nibabel.Nifti1Image(slices.transpose(2, 1, 0), np.diag([*np.multiply(plist["spacing"], [-1, 1, 1]), 1]))


if __name__ == "__main__":
    nibabel.save(image(sys.argv[1]), sys.argv[2])
