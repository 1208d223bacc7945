/// What a NIfTI-1 or NIfTI-2 header says, checked: dimensions multiply without overflow, the type is known, the affine
/// places voxels.
public struct NIfTIHeader: Sendable, Equatable {
    /// Where the affine came from.
    public enum AffineSource: String, Sendable {
        /// Method 3 of the standard.
        case sform
        /// Method 2.
        case qform
        /// Method 1: spacing only; the standard attaches no orientation to it, so sides are a guess. As in nibabel,
        /// i, j, k are taken as L, A, S and the grid's centre as the origin.
        case spacing
    }

    /// 1 or 2.
    public internal(set) var version = 1
    /// True when stored numbers have the least significant byte first.
    public internal(set) var isLittleEndian = true
    /// True for .nii, false for an .hdr with its voxels in an .img.
    public internal(set) var isSingleFile = true
    /// 1 to 7 sizes, each 1 or more: i, j, k, time, …
    public internal(set) var dims: [Int] = []
    /// How a voxel is stored.
    public internal(set) var dataType = NIfTIDataType.uint8
    /// value = stored · slope + intercept; `nil` when the header asks for no scaling (slope 0 or not finite).
    public var scaling: (slope: Double, intercept: Double)? {
        guard slope != 0, slope.isFinite else { return nil }
        return slope == 1 && intercept == 0 ? nil : (slope, intercept)
    }
    /// As stored; see `scaling`.
    public internal(set) var slope = 1.0
    /// As stored; see `scaling`.
    public internal(set) var intercept = 0.0
    /// Byte where the voxels begin in their file.
    public internal(set) var voxelOffset: UInt64 = 352
    /// pixdim[1…7] as stored, in the header's units.
    public internal(set) var pixelDimensions: [Double] = []
    /// The header's unit of length in mm: 1 where it is unknown.
    public internal(set) var millimetresPerUnit = 1.0
    /// Seconds from one volume to the next; 0 where the header has no fourth axis or no unit of time.
    public internal(set) var frameDuration = 0.0
    /// NIFTI_XFORM code of the q-form; 0 unknown.
    public internal(set) var qformCode = 0
    /// NIFTI_XFORM code of the s-form; 0 unknown.
    public internal(set) var sformCode = 0
    /// From voxel indices to RAS+ mm.
    public internal(set) var affine = Affine.identity
    /// Where `affine` came from: the s-form if it has a code, else the q-form, else the spacing.
    public internal(set) var affineSource = AffineSource.spacing
    /// The free text of the header.
    public internal(set) var text = ""

    init() {}

    /// Dimensions and affine of the first three axes; missing ones have size 1.
    public var grid: VoxelGrid {
        VoxelGrid(dims: SIMD3(size(0), size(1), size(2)), affine: affine)
    }

    /// Volumes one after another in the file: the product of the dimensions from the fourth on.
    public var frames: Int { dims.dropFirst(3).reduce(1, *) }

    /// The code of the space that `affine` leads to (1 scanner, 2 aligned, 3 Talairach, 4 MNI; 0 unknown).
    public var spaceCode: Int {
        switch affineSource {
        case .sform: return sformCode
        case .qform: return qformCode
        case .spacing: return 0
        }
    }

    /// "181×217×181 int16".
    public var summary: String { dims.map(String.init).joined(separator: "×") + " \(dataType)" }

    /// Bytes of one 3D volume as stored.
    var frameBytes: UInt64 { UInt64(grid.count) * UInt64(dataType.bytes) }

    /// Bytes of all voxels as stored.
    var dataBytes: UInt64 { frameBytes * UInt64(frames) }

    func size(_ axis: Int) -> Int { axis < dims.count ? dims[axis] : 1 }

    /// True when both mean the same: NaN scalings that ask for none are equal.
    public static func == (a: NIfTIHeader, b: NIfTIHeader) -> Bool {
        a.version == b.version && a.isLittleEndian == b.isLittleEndian && a.isSingleFile == b.isSingleFile
            && a.dims == b.dims && a.dataType == b.dataType && a.affine == b.affine
            && a.affineSource == b.affineSource && a.voxelOffset == b.voxelOffset && a.text == b.text
            && a.scaling?.slope == b.scaling?.slope && a.scaling?.intercept == b.scaling?.intercept
    }
}
