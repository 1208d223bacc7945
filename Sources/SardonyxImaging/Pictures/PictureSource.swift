/// What a picture is drawn from: an image, or labels, read a box of voxels at a time, so that a large file need not be
/// held as floats.
///
/// Renderers read thin boxes in the order of storage, each at most once (a label volume twice).
public struct PictureSource {
    /// Writes the values of one component in the box `lower` ..< `upper` (stored voxel indices), i fastest, into
    /// exactly as many places.
    public typealias Reader = (
        _ lower: SIMD3<Int>, _ upper: SIMD3<Int>, _ component: Int, _ values: UnsafeMutableBufferPointer<Float>
    ) throws -> Void

    /// Dimensions and affine as stored.
    public let grid: VoxelGrid
    /// Values a voxel: from 3 on the first three are red, green and blue; of 2 the first is shown.
    public let components: Int
    /// False for a picture that knows no patient: it is drawn as stored, i to the right and j down, without sides and
    /// millimetres; only the ratio of its spacings counts.
    public let isPlaced: Bool
    let read: Reader

    /// An image behind a reader.
    public init(grid: VoxelGrid, components: Int = 1, isPlaced: Bool = true, read: @escaping Reader) {
        self.grid = grid
        self.components = components
        self.isPlaced = isPlaced
        self.read = read
    }

    /// A volume in memory.
    public init(_ volume: Volume<Float>, isPlaced: Bool = true) {
        self.init(colours: [volume], isPlaced: isPlaced)
    }

    /// Red, green and blue in memory; traps when they lie on different grids.
    public init(colours: [Volume<Float>], isPlaced: Bool = true) {
        precondition(!colours.isEmpty && colours.allSatisfy { $0.grid == colours[0].grid }, "one grid for all channels")
        self.init(grid: colours[0].grid, components: colours.count, isPlaced: isPlaced) { lower, upper, c, values in
            colours[c].copy(lower, upper, values) { $0 }
        }
    }

    /// Labels in memory.
    @_specialize(where Label == UInt8)
    @_specialize(where Label == UInt16)
    @_specialize(where Label == Int32)
    public init<Label: Voxel & FixedWidthInteger>(labels: Volume<Label>, isPlaced: Bool = true) {
        self.init(grid: labels.grid, isPlaced: isPlaced) { lower, upper, _, values in
            labels.copy(lower, upper, values) { Float($0) }
        }
    }

    /// Where the voxels lie, as pictures see it: an image without a patient becomes one that lies on the back, since
    /// pictures begin at the patient's right and front.
    var placed: VoxelGrid {
        if isPlaced { return grid }
        let s = grid.spacing
        return VoxelGrid(dims: grid.dims, affine: Affine(spacing: SIMD3(-s.x, -s.y, s.z)))
    }

    /// The same voxels in RAS order.
    var upright: VoxelGrid { placed.reoriented(to: .ras) }
}

extension Volume {
    fileprivate func copy(
        _ lower: SIMD3<Int>, _ upper: SIMD3<Int>, _ values: UnsafeMutableBufferPointer<Float>,
        _ value: (Scalar) -> Float
    ) {
        var o = 0
        voxels.withUnsafeBufferPointer { voxels in
            for k in lower.z..<upper.z {
                for j in lower.y..<upper.y {
                    let row = dims.x * (j + dims.y * k)
                    for i in lower.x..<upper.x {
                        // SAFETY: boxes lie inside the grid, and `values` has a place for each of their voxels.
                        values[o] = value(voxels[row + i])
                        o += 1
                    }
                }
            }
        }
    }
}
