/// The smallest box around the voxels that count as foreground, collected slab by slab and channel by channel: a voxel
/// counts when it does in any channel.
public struct ForegroundBox: Sendable, Equatable {
    /// What counts.
    public enum Rule: Sendable, Equatable {
        /// Values above a number: MONAI's `CropForeground` with 0. A NaN does not count.
        case above(Float)
        /// All but 0: nnU-Net's `crop_to_nonzero`, whose filling of holes leaves the box as it is. A NaN counts.
        case nonzero
    }

    /// What counts.
    public let rule: Rule
    /// The box so far; `nil` while nothing was found. MONAI then keeps no voxel, nnU-Net all of them.
    public private(set) var box: VoxelBox?

    /// Nothing found yet.
    public init(_ rule: Rule) { self.rule = rule }

    /// Takes in a dense block (i fastest) of `dims` voxels whose first one is voxel `origin` of the volume.
    public mutating func add(_ block: UnsafePointer<Float>, dims: SIMD3<Int>, at origin: SIMD3<Int> = .zero) {
        switch rule {
        case .above(let limit): add(block, dims, origin) { $0 .> limit }
        case .nonzero: add(block, dims, origin) { $0 .!= 0 }
        }
    }

    /// Takes in a whole volume.
    public mutating func add(_ volume: Volume<Float>) {
        volume.voxels.withUnsafeBufferPointer { add($0.baseAddress!, dims: volume.dims) }
    }

    private typealias Eight = SIMD8<Float>

    @inline(__always)
    private mutating func add(
        _ block: UnsafePointer<Float>, _ dims: SIMD3<Int>, _ origin: SIMD3<Int>,
        counts: (Eight) -> SIMDMask<Eight.MaskStorage>
    ) {
        for k in 0..<dims.z {
            for j in 0..<dims.y {
                // SAFETY: eight values of a row of the block, or the last one repeated.
                let row = block + (k * dims.y + j) * dims.x
                func hits(_ i: Int) -> SIMDMask<Eight.MaskStorage> {
                    if i + 8 <= dims.x { return counts(UnsafeRawPointer(row + i).loadUnaligned(as: Eight.self)) }
                    var eight = Eight(repeating: row[dims.x - 1])
                    for lane in 0..<dims.x - i { eight[lane] = row[i + lane] }
                    return counts(eight)
                }
                guard let low = stride(from: 0, to: dims.x, by: 8).first(where: { any(hits($0)) }) else { continue }
                let high = stride(from: (dims.x - 1) & ~7, through: low, by: -8).first { any(hits($0)) }!
                let (head, tail) = (hits(low), hits(high))
                let first = low + (0..<8).first { head[$0] }!
                let last = min(high + (0..<8).last { tail[$0] }!, dims.x - 1)
                let found = VoxelBox(lower: SIMD3(first, j, k), upper: SIMD3(last + 1, j + 1, k + 1))
                    .relative(to: SIMD3<Int>.zero &- origin)
                box = box?.union(found) ?? found
            }
        }
    }
}
