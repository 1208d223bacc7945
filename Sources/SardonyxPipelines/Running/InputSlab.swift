import SardonyxExecution
import SardonyxImaging

/// One place of the network: where a tile begins along x, y, z, and which of the network's axes are mirrored.
struct Tile: Sendable {
    var x: Int
    var y: Int
    var z: Int
    var flip = [false, false, false]
}

/// As many prepared slices of a study as tiles of one step along z need, out of which tiles are copied in the network's
/// order.
final class InputSlab {
    private let grid: WorkingGrid
    private let layout: TileLayout
    private let sources: [RowSource]
    private let padding: Float
    private let repeatsEdge: Bool
    // [channel][slice % rows][y][x]
    private let rows: Int
    private let values: UnsafeMutableBufferPointer<Float>
    private var loaded = 0

    private static func rows(_ grid: WorkingGrid, _ layout: TileLayout) -> Int {
        min(grid.dims.z, layout.extent.z + 2 * layout.neighbours)
    }

    /// Bytes that a slab holds.
    static func byteCount(_ grid: WorkingGrid, _ layout: TileLayout) -> Int {
        4 * layout.channels * rows(grid, layout) * grid.dims.x * grid.dims.y
    }

    init(_ grid: WorkingGrid, _ layout: TileLayout, _ sources: [RowSource], _ tiling: Pipeline.Tiling) {
        self.grid = grid
        self.layout = layout
        self.sources = sources
        padding = Float(tiling.padding)
        repeatsEdge = tiling.repeatsEdge
        rows = InputSlab.rows(grid, layout)
        // Slices are read only once they are loaded.
        values = .allocate(capacity: sources.count * rows * grid.dims.x * grid.dims.y)
    }

    deinit { values.deallocate() }

    /// Prepares the slices that tiles beginning at `z` need.
    func load(for z: Int) throws {
        let end = min(grid.dims.z, z + layout.extent.z + layout.neighbours)
        let plane = grid.dims.x * grid.dims.y
        while loaded < end {
            for (channel, source) in sources.enumerated() {
                // SAFETY: the slot is one of `rows` planes of its channel.
                try source.slice(loaded, into: values.baseAddress! + (channel * rows + loaded % rows) * plane)
            }
            loaded += 1
        }
    }

    /// Whether a tile and the neighbours that it sees hold one value throughout, in each channel.
    func isEmpty(_ x: Int, _ y: Int, _ z: Int) -> Bool {
        let (xs, ys, zs) = (
            layout.inside(x, 0, grid.dims), layout.inside(y, 1, grid.dims), layout.inside(z, 2, grid.dims)
        )
        let slices =
            max(0, z + zs.lowerBound - layout.neighbours)..<min(grid.dims.z, z + zs.upperBound + layout.neighbours)
        for channel in sources.indices {
            var first: Float?
            for slice in slices {
                for dy in ys {
                    let row = ((channel * rows + slice % rows) * grid.dims.y + y + dy) * grid.dims.x + x
                    for dx in xs {
                        if let first, values[row + dx] != first { return false }
                        first = values[row + dx]
                    }
                }
            }
        }
        return true
    }

    /// Copies a tile, [channel][spatial …] in the network's order; what lies outside the image is the padding.
    func gather(_ tile: Tile, _ input: UnsafeMutableBufferPointer<Float>, _ pool: WorkerPool) {
        let (xs, ys) = (layout.inside(tile.x, 0, grid.dims), layout.inside(tile.y, 1, grid.dims))
        let zs = layout.inside(tile.z, 2, grid.dims)
        let (start, step) = layout.strides(tile.flip, grid, zoom: SIMD3(1, 1, 1))
        let voxels = layout.size.reduce(1, *)
        let plane = grid.dims.x * grid.dims.y
        let isPartial = SIMD3(xs.count, ys.count, zs.count) != layout.extent
        if isPartial, !repeatsEdge { input.update(repeating: padding) }
        for channel in sources.indices {
            for offset in -layout.neighbours...layout.neighbours {
                let image = channel * (2 * layout.neighbours + 1) + offset + layout.neighbours
                // As many slices at once as lie one after another in the slab, one where it sees neighbours.
                var dz = zs.lowerBound
                while dz < zs.upperBound {
                    // Beyond the first and the last slice those stand in for their neighbours.
                    let z = min(max(tile.z + dz + offset, 0), grid.dims.z - 1)
                    let count = layout.neighbours > 0 ? 1 : min(zs.upperBound - dz, rows - z % rows)
                    let from = (channel * rows + z % rows) * plane + (tile.y + ys.lowerBound) * grid.dims.x
                    let to = image * voxels + start + dz * step.z + ys.lowerBound * step.y
                    // SAFETY: `inside` holds the reads in the slab; steps walk the tile's own voxels.
                    Strided.copy(
                        values.baseAddress! + from + tile.x + xs.lowerBound, SIMD3(1, grid.dims.x, plane),
                        input.baseAddress! + to + xs.lowerBound * step.x, step,
                        SIMD3(xs.count, ys.count, count), pool)
                    dz += count
                }
            }
        }
        if isPartial, repeatsEdge {
            for image in 0..<input.count / voxels {
                repeatEdge(input.baseAddress! + image * voxels + start, step, xs, ys, zs)
            }
        }
    }

    /// Gives each voxel of a tile outside the image the value of the nearest one inside. SAFETY: `tile` is the tile's
    /// first voxel along x, y, z, and `step` walks its own.
    private func repeatEdge(
        _ tile: UnsafeMutablePointer<Float>, _ step: SIMD3<Int>, _ xs: Range<Int>, _ ys: Range<Int>, _ zs: Range<Int>
    ) {
        func held(_ index: Int, _ range: Range<Int>) -> Int { min(max(index, range.lowerBound), range.upperBound - 1) }
        for z in 0..<layout.extent.z {
            for y in 0..<layout.extent.y {
                let isWhole = zs.contains(z) && ys.contains(y)
                let (from, to) = (held(z, zs) * step.z + held(y, ys) * step.y, z * step.z + y * step.y)
                for x in 0..<layout.extent.x where !isWhole || !xs.contains(x) {
                    tile[to + x * step.x] = tile[from + held(x, xs) * step.x]
                }
            }
        }
    }
}
