/// A box of voxels: lower ≤ index < upper along i, j, k.
public struct VoxelBox: Sendable, Equatable {
    /// The first voxel inside, and the first one past the last.
    public var lower, upper: SIMD3<Int>

    /// From `lower` up to, not including, `upper`.
    public init(lower: SIMD3<Int> = .zero, upper: SIMD3<Int>) {
        self.lower = lower
        self.upper = upper
    }
}
