/// How many voxels there are and where they lie in the patient.
public struct VoxelGrid: Sendable, Equatable {
    /// Voxels along i, j, k; each 1 or more.
    public let dims: SIMD3<Int>
    /// From voxel indices to RAS+ millimetres.
    public let affine: Affine

    /// A grid; traps when a dimension is below 1 or the voxel count overflows, since readers check both.
    public init(dims: SIMD3<Int>, affine: Affine) {
        precondition(dims.x > 0 && dims.y > 0 && dims.z > 0, "a grid has at least one voxel along each axis")
        let (plane, overflow) = dims.x.multipliedReportingOverflow(by: dims.y)
        precondition(!overflow && !plane.multipliedReportingOverflow(by: dims.z).overflow, "voxel count overflows")
        self.dims = dims
        self.affine = affine
    }

    /// Number of voxels.
    public var count: Int { dims.x * dims.y * dims.z }

    /// Millimetres between voxel centres.
    public var spacing: SIMD3<Double> { affine.spacing }

    /// Volume of one voxel in mm³.
    public var voxelVolume: Double { abs(affine.determinant) }

    /// The nearest anatomical directions of i, j, k.
    public var orientation: Orientation { Orientation(affine) }

    /// The same field of view, outer face to outer face, cut into `dims` voxels.
    public func resized(to dims: SIMD3<Int>) -> VoxelGrid {
        let ratio = SIMD3<Double>(self.dims) / SIMD3<Double>(dims)
        // The new first centre lies half a new voxel inside the face at index -0.5.
        let shift = ratio * 0.5 - SIMD3(repeating: 0.5)
        return VoxelGrid(dims: dims, affine: affine.composed(after: Affine(spacing: ratio, origin: shift)))
    }

    /// True when both have the same dimensions and no corner voxel is displaced by more than `tolerance` of the
    /// smallest spacing: headers store the affine in single precision.
    public func isAligned(with other: VoxelGrid, tolerance: Double = 1e-3) -> Bool {
        guard dims == other.dims else { return false }
        let limit = tolerance * min(spacing.min(), other.spacing.min())
        return box.corners.allSatisfy { Affine.length(affine($0) - other.affine($0)) <= limit }
    }

    /// "181×217×181 voxels of 1×1×1 mm, RAS".
    public var summary: String {
        let s = spacing
        let sizes = [s.x, s.y, s.z].map { Format.short($0) }.joined(separator: "×")
        return "\(dims.x)×\(dims.y)×\(dims.z) voxels of \(sizes) mm, \(orientation)"
    }
}
