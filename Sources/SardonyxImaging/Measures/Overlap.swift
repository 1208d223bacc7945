extension Volume where Scalar == UInt8 {
    /// Number of voxels that are not 0.
    public var insideCount: Int { voxels.reduce(0) { $0 + ($1 == 0 ? 0 : 1) } }

    /// Volume of the voxels that are not 0, in millilitres.
    public var millilitres: Double { Double(insideCount) * grid.voxelVolume / 1000 }

    /// The mean place of the voxels that are not 0, in voxel indices; `nil` when there are none.
    public var centroid: SIMD3<Double>? {
        var sum = SIMD3<Int>(repeating: 0)
        var count = 0
        var o = 0
        for k in 0..<dims.z {
            for j in 0..<dims.y {
                for i in 0..<dims.x {
                    if voxels[o] != 0 {
                        sum &+= SIMD3(i, j, k)
                        count += 1
                    }
                    o += 1
                }
            }
        }
        return count == 0 ? nil : SIMD3<Double>(sum) / Double(count)
    }

    /// Dice overlap: 2 |A ∩ B| / (|A| + |B|), 0 to 1; two empty masks agree (1).
    ///
    /// - Throws: `ImagingError` `.mismatch` unless both lie on the same grid.
    public func dice(_ other: Mask) throws -> Double {
        guard grid.isAligned(with: other.grid) else {
            throw ImagingError(
                .mismatch, problem: "the masks lie on different grids (\(grid.summary); \(other.grid.summary))",
                remedy: "resample one onto the other")
        }
        var both = 0
        var sum = 0
        for (a, b) in zip(voxels, other.voxels) {
            both += a != 0 && b != 0 ? 1 : 0
            sum += (a != 0 ? 1 : 0) + (b != 0 ? 1 : 0)
        }
        return sum == 0 ? 1 : 2 * Double(both) / Double(sum)
    }
}
