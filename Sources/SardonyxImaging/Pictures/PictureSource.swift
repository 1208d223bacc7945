/// What a picture is drawn from: an image, or labels, read a box of voxels at a time, so that a large file need not be
/// held as floats.
///
/// Renderers read thin boxes in the order of storage, each at most once (a label volume twice).
public struct PictureSource {
    /// Writes the values of one component in a box of stored voxels, i fastest, into exactly as many places.
    public typealias Reader = (
        _ box: VoxelBox, _ component: Int, _ values: UnsafeMutableBufferPointer<Float>
    ) throws -> Void
    /// Hands the runs of all slices, in their order, to `visit`, with or without those of label 0.
    package typealias RunReader = (_ visit: (_ k: Int, _ runs: LabelRuns) throws -> Void) throws -> Void

    /// Dimensions and affine as stored.
    public let grid: VoxelGrid
    /// Values a voxel: from 3 on the first three are red, green and blue; of 2 the first is shown.
    public let components: Int
    /// False for a picture that knows no patient: it is drawn as stored, i to the right and j down, without sides and
    /// millimetres; only the ratio of its spacings counts.
    public let isPlaced: Bool
    let read: Reader
    /// The file whose stored voxels can be looked at where they are.
    let file: (file: VolumeFile, frame: Int)?
    /// The labels' runs.
    let runs: RunReader?

    /// An image behind a reader.
    public init(grid: VoxelGrid, components: Int = 1, isPlaced: Bool = true, read: @escaping Reader) {
        self.init(grid, components, isPlaced, nil, nil, read)
    }

    private init(
        _ grid: VoxelGrid, _ components: Int, _ isPlaced: Bool, _ file: (VolumeFile, Int)?, _ runs: RunReader?,
        _ read: @escaping Reader
    ) {
        self.grid = grid
        self.components = components
        self.isPlaced = isPlaced
        self.file = file
        self.runs = runs
        self.read = read
    }

    /// A volume of a file, which stays there; colours where it has them, of other values the first.
    public init(_ file: VolumeFile, frame: Int = 0) {
        self.init(
            file.grid, file.isColour ? file.components : 1, file.format != .picture, (file, frame), nil
        ) { box, component, values in
            try file.read(box, frame: frame, component: component, into: values)
        }
    }

    /// Labels that are known as runs, which is much faster than voxel by voxel.
    ///
    /// - Parameter runs: called twice, for the survey and for the slices.
    package init(
        grid: VoxelGrid, isPlaced: Bool = true, runs: @escaping RunReader, read: @escaping Reader
    ) {
        self.init(grid, 1, isPlaced, nil, runs, read)
    }

    /// A volume in memory.
    public init(_ volume: Volume<Float>, isPlaced: Bool = true) {
        self.init(colours: [volume], isPlaced: isPlaced)
    }

    /// Red, green and blue in memory; traps when they lie on different grids.
    public init(colours: [Volume<Float>], isPlaced: Bool = true) {
        precondition(!colours.isEmpty && colours.allSatisfy { $0.grid == colours[0].grid }, "one grid for all channels")
        self.init(grid: colours[0].grid, components: colours.count, isPlaced: isPlaced) { box, c, values in
            colours[c].copy(box, values) { $0 }
        }
    }

    /// Labels in memory.
    @_specialize(where Label == UInt8)
    @_specialize(where Label == UInt16)
    @_specialize(where Label == Int32)
    public init<Label: Voxel & FixedWidthInteger>(labels: Volume<Label>, isPlaced: Bool = true) {
        self.init(grid: labels.grid, isPlaced: isPlaced) { box, _, values in
            labels.copy(box, values) { Float($0) }
        }
    }

    /// A mask: 1 where the first value is above `threshold`, 0 elsewhere; a NaN is outside.
    public func above(_ threshold: Float) -> PictureSource {
        PictureSource(grid: grid, isPlaced: isPlaced) { [read] box, _, values in
            try read(box, 0, values)
            for place in values.indices { values[place] = values[place] > threshold ? 1 : 0 }
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
        _ box: VoxelBox, _ values: UnsafeMutableBufferPointer<Float>, _ value: (Scalar) -> Float
    ) {
        var o = 0
        voxels.withUnsafeBufferPointer { voxels in
            for k in box.lower.z..<box.upper.z {
                for j in box.lower.y..<box.upper.y {
                    let row = dims.x * (j + dims.y * k)
                    for i in box.lower.x..<box.upper.x {
                        // SAFETY: boxes lie inside the grid, and `values` has a place for each of their voxels.
                        values[o] = value(voxels[row + i])
                        o += 1
                    }
                }
            }
        }
    }
}
