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

extension VoxelBox {
    /// All of a grid with these dimensions.
    public init(dims: SIMD3<Int>) { self.init(lower: .zero, upper: dims) }

    /// Whole slices, along k, of a grid with these dimensions.
    public init(slices: Range<Int>, of dims: SIMD3<Int>) {
        self.init(lower: SIMD3(0, 0, slices.lowerBound), upper: SIMD3(dims.x, dims.y, slices.upperBound))
    }

    /// Slice `k` of a grid with these dimensions.
    public init(slice k: Int, of dims: SIMD3<Int>) { self.init(slices: k..<k + 1, of: dims) }

    /// Voxels along i, j, k; 0 where upper does not exceed lower.
    public var size: SIMD3<Int> { (upper &- lower).clamped(lowerBound: .zero, upperBound: SIMD3(repeating: .max)) }

    /// Number of voxels.
    public var count: Int { size.x * size.y * size.z }

    /// True when it holds no voxel.
    public var isEmpty: Bool { any(upper .<= lower) }

    /// The centres of its eight corner voxels.
    var corners: [SIMD3<Double>] {
        let (low, high) = (SIMD3<Double>(lower), SIMD3<Double>(upper &- 1))
        return (0..<8).map {
            SIMD3($0 & 1 == 0 ? low.x : high.x, $0 & 2 == 0 ? low.y : high.y, $0 & 4 == 0 ? low.z : high.z)
        }
    }

    /// Wider by `before` at the lower and `after` at the upper faces; negative numbers make it narrower.
    public func padded(by before: SIMD3<Int>, _ after: SIMD3<Int>) -> VoxelBox {
        VoxelBox(lower: lower &- before, upper: upper &+ after)
    }

    /// Wider by `margin` voxels at every face.
    public func padded(by margin: Int) -> VoxelBox {
        padded(by: SIMD3(repeating: margin), SIMD3(repeating: margin))
    }

    /// The voxels in both boxes.
    public func intersection(_ other: VoxelBox) -> VoxelBox {
        VoxelBox(lower: pointwiseMax(lower, other.lower), upper: pointwiseMin(upper, other.upper))
    }

    /// The smallest box around both.
    public func union(_ other: VoxelBox) -> VoxelBox {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return VoxelBox(lower: pointwiseMin(lower, other.lower), upper: pointwiseMax(upper, other.upper))
    }

    /// True when every voxel of `other` is one of this box.
    public func contains(_ other: VoxelBox) -> Bool {
        other.isEmpty || (all(lower .<= other.lower) && all(other.upper .<= upper))
    }

    /// The same voxels in the indices of a grid whose first voxel is `origin` of this one.
    public func relative(to origin: SIMD3<Int>) -> VoxelBox {
        VoxelBox(lower: lower &- origin, upper: upper &- origin)
    }
}

extension VoxelGrid {
    /// All of the grid's voxels.
    public var box: VoxelBox { VoxelBox(dims: dims) }

    /// True when every voxel of `box` is one of the grid's, its empty boxes among them.
    public func contains(_ box: VoxelBox) -> Bool {
        all(box.lower .>= 0) && all(box.upper .>= box.lower) && all(box.upper .<= dims)
    }
}
