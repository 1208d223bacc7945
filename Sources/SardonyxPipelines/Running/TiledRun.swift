import SardonyxExecution
import SardonyxImaging

/// Runs a network over a grid, tile by tile, in a slab as tall as one tile: finished slices go out as soon as no later
/// tile touches them.
///
/// Tiles go by z, then y, then x; every voxel's sum has that order, whatever the batch.
final class TiledRun {
    private let grid: WorkingGrid
    private let layout: TileLayout
    private let network: any Network
    private let slab: InputSlab
    /// Of a tile's voxels, x fastest.
    private let weights: [Float]
    /// A tile's output in the same order.
    private var turned: [Float]
    private let pool: WorkerPool
    private let tiling: Pipeline.Tiling
    /// What stands in each channel where no tile was run.
    private let background: [Float]
    /// Channels of the output.
    let outputChannels: Int
    /// Of one tile's output: [channels, spatial …].
    private let tileShape: [Int]

    // Sums and weights: [channel][slice % sumRows][y][x] and [slice % sumRows][y][x] on the output's grid.
    private let sumRows: Int
    private let outDims: SIMD3<Int>
    private var sums: [Float]
    private var counts: [Float]

    /// Bytes that a run holds besides the network's and the sources'.
    static func byteCount(_ grid: WorkingGrid, _ layout: TileLayout, outputChannels: Int) -> Int {
        let out = grid.dims &* grid.zoom
        if layout.isDisjoint {
            return InputSlab.byteCount(grid, layout) + 4 * outputChannels * blockRows(grid, layout) * out.x * out.y
        }
        let rows = min(layout.extent.z, grid.dims.z)
        let sums = (outputChannels + 1) * rows * grid.zoom.z * out.x * out.y
        let weights = (outputChannels + 1) * layout.size.reduce(1, *) * grid.zoom.x * grid.zoom.y * grid.zoom.z
        return InputSlab.byteCount(grid, layout) + 4 * (sums + weights + outputChannels * out.x * out.y)
    }

    /// Slices of a disjoint tile that are turned into the run's order at once: as many as a cache line of the network's
    /// order may hold.
    private static func blockRows(_ grid: WorkingGrid, _ layout: TileLayout) -> Int {
        min(16, grid.zoom.z * min(layout.extent.z, grid.dims.z))
    }

    init(
        _ grid: WorkingGrid, _ layout: TileLayout, _ tiling: Pipeline.Tiling, sources: [RowSource],
        network: any Network, background: [Float], _ pool: WorkerPool
    ) {
        let outputChannels = background.count
        self.background = background
        self.pool = pool
        self.grid = grid
        self.layout = layout
        self.tiling = tiling
        self.network = network
        self.outputChannels = outputChannels
        tileShape = [outputChannels] + layout.size(grid, zoom: grid.zoom).dropFirst(layout.isFlat ? 1 : 0)
        weights = layout.isDisjoint ? [] : layout.weights(tiling, grid)
        turned = [Float](repeating: 0, count: outputChannels * weights.count)
        let rows = min(layout.extent.z, grid.dims.z)
        slab = InputSlab(grid, layout, sources, tiling)
        outDims = grid.dims &* grid.zoom
        sumRows = rows * grid.zoom.z
        counts = [Float](repeating: 0, count: layout.isDisjoint ? 0 : sumRows * outDims.x * outDims.y)
        sums = [Float](repeating: 0, count: outputChannels * counts.count)
    }

    /// - Parameters:
    ///   - progress: told the share of tiles that are done.
    ///   - emit: takes slice z of the output's grid, [channel][y][x]; z ascends from 0.
    func callAsFunction(
        progress: (Double) -> Void, emit: (_ z: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        if layout.isDisjoint { return try runDisjoint(progress: progress, emit: emit) }
        let starts = layout.starts[2]
        let plane = outDims.x * outDims.y
        var row = [Float](repeating: 0, count: outputChannels * plane)
        var next = 0
        for (step, z) in starts.enumerated() {
            try slab.load(for: z)
            try runRow(z, progress: { progress((Double(step) + $0) / Double(starts.count)) }, use: scatter)
            let end = (step + 1 < starts.count ? max(0, starts[step + 1]) : grid.dims.z) * grid.zoom.z
            while next < end {
                let slot = next % sumRows
                row.withUnsafeMutableBufferPointer { finish(slot, plane, $0) }
                try row.withUnsafeMutableBufferPointer { try emit(next, $0) }
                next += 1
            }
        }
    }

    /// Divides a slice's sums by its weights and empties them; what no tile covers is background.
    private func finish(_ slot: Int, _ plane: Int, _ row: UnsafeMutableBufferPointer<Float>) {
        let (rows, background) = (sumRows, background)
        sums.withUnsafeMutableBufferPointer { sums in
            counts.withUnsafeMutableBufferPointer { counts in
                let (sums, row) = (Shared(sums.baseAddress!), Shared(row.baseAddress!))
                let count = Shared(counts.baseAddress! + slot * plane)
                pool.forEach(outputChannels) { channel in
                    // SAFETY: each number has a plane of its own.
                    let (sum, to) = (sums.base + (channel * rows + slot) * plane, row.base + channel * plane)
                    for index in 0..<plane {
                        let weight = count.base[index]
                        to[index] = weight > 0 ? sum[index] / weight : background[channel]
                        sum[index] = 0
                    }
                }
                for index in 0..<plane { count.base[index] = 0 }
            }
        }
    }

    /// Runs tiles that share no slice: their outputs go out as they are.
    private func runDisjoint(
        progress: (Double) -> Void, emit: (_ z: Int, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        let (plane, zoom, count) = (outDims.x * outDims.y, grid.zoom, outputChannels)
        let most = TiledRun.blockRows(grid, layout)
        var block = [Float](repeating: 0, count: most * count * plane)
        for (step, z) in layout.starts[2].enumerated() {
            try slab.load(for: z)
            let slices = inside(z, 2)
            var isDone = false
            /// Emits the slices, `most` at a time, that `fill` puts into [slice][channel][y][x].
            func send(_ fill: (_ part: Range<Int>, _ block: UnsafeMutablePointer<Float>) -> Void) throws {
                isDone = true
                try block.withUnsafeMutableBufferPointer { block in
                    for first in stride(from: slices.lowerBound, to: slices.upperBound, by: most) {
                        let part = first..<min(first + most, slices.upperBound)
                        fill(part, block.baseAddress!)
                        for dz in part {
                            let slice = (dz - first) * count * plane
                            try emit(
                                z * zoom.z + dz,
                                UnsafeMutableBufferPointer(rebasing: block[slice..<slice + count * plane]))
                        }
                    }
                }
            }
            func take(_ tile: Tile, _ output: UnsafeBufferPointer<Float>) throws {
                let (start, strides) = layout.strides(tile.flip, grid, zoom: zoom)
                let (xs, ys, voxels) = (inside(tile.x, 0), inside(tile.y, 1), output.count / count)
                try send { part, block in
                    for channel in 0..<count {
                        // SAFETY: `inside` holds the reads in the tile, which covers the plane; writes are the block's.
                        let from = SIMD3(xs.lowerBound, ys.lowerBound, part.lowerBound) &* strides
                        Strided.copy(
                            output.baseAddress! + channel * voxels + start + from.wrappedSum(), strides,
                            block + channel * plane, SIMD3(1, outDims.x, count * plane),
                            SIMD3(xs.count, ys.count, part.count), pool)
                    }
                }
            }
            try runRow(z, progress: { progress((Double(step) + $0) / Double(layout.starts[2].count)) }, use: take)
            // An empty tile was not run.
            if !isDone {
                try send { part, block in
                    for index in 0..<part.count * count {
                        (block + index * plane).update(repeating: background[index % count], count: plane)
                    }
                }
            }
        }
    }

    /// The part of a tile's output along an axis that lies in the image.
    private func inside(_ start: Int, _ w: Int) -> Range<Int> {
        let range = layout.inside(start, w, grid.dims)
        return range.lowerBound * grid.zoom[w]..<range.upperBound * grid.zoom[w]
    }

    /// Runs the tiles that begin at `z` and hands each one's output to `use`.
    private func runRow(
        _ z: Int, progress: (Double) -> Void, use: (Tile, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        var tiles: [Tile] = []
        for y in layout.starts[1] {
            for x in layout.starts[0] {
                if tiling.skipsEmptyTiles, slab.isEmpty(x, y, z) { continue }
                for flip in layout.flips { tiles.append(Tile(x: x, y: y, z: z, flip: flip)) }
            }
        }
        var done = 0
        while done < tiles.count {
            let count = min(layout.batch, tiles.count - done)
            let part = tiles[done..<done + count]
            let shape = layout.shape(layout.takesFewer ? count : layout.batch)
            let tileCount = shape.dropFirst().reduce(1, *)
            try network.run(shape: shape) { input in
                for (index, tile) in part.enumerated() {
                    slab.gather(
                        tile, UnsafeMutableBufferPointer(rebasing: input[index * tileCount..<(index + 1) * tileCount]),
                        pool)
                }
                for index in part.count * tileCount..<input.count { input[index] = 0 }
            } use: { output, found in
                guard found == [shape[0]] + tileShape else {
                    throw PipelineFailure(
                        .badModel, "the model gave the shape \(found) for \(shape); expected \([shape[0]] + tileShape)")
                }
                let size = tileShape.reduce(1, *)
                for (index, tile) in part.enumerated() {
                    try use(tile, UnsafeBufferPointer(rebasing: output[index * size..<(index + 1) * size]))
                }
            }
            done += count
            progress(Double(done) / Double(tiles.count))
        }
    }

    /// Adds a tile's output to the sums, each voxel times its weight.
    private func scatter(_ tile: Tile, _ output: UnsafeBufferPointer<Float>) {
        let zoom = grid.zoom
        let (start, step) = layout.strides(tile.flip, grid, zoom: zoom)
        let (xs, ys, zs) = (inside(tile.x, 0), inside(tile.y, 1), inside(tile.z, 2))
        let extent = layout.extent &* zoom
        let (voxels, plane) = (weights.count, outDims.x * outDims.y)
        let share = 1 / Float(layout.flips.count)
        let (rows, width, first) = (sumRows, outDims.x, (tile.y * zoom.y) * outDims.x + tile.x * zoom.x)
        let z = tile.z * zoom.z
        let channels = outputChannels
        turned.withUnsafeMutableBufferPointer { turned in
            for channel in 0..<channels {
                // SAFETY: both blocks hold the tile's voxels, `voxels` for each channel.
                Strided.copy(
                    output.baseAddress! + channel * voxels + start, step, turned.baseAddress! + channel * voxels,
                    SIMD3(1, extent.x, extent.x * extent.y), extent, pool)
            }
        }
        sums.withUnsafeMutableBufferPointer { sums in
            counts.withUnsafeMutableBufferPointer { counts in
                turned.withUnsafeBufferPointer { turned in
                    weights.withUnsafeBufferPointer { weights in
                        let (sums, counts) = (Shared(sums.baseAddress!), Shared(counts.baseAddress!))
                        let (turned, weights) = (Shared(turned.baseAddress!), Shared(weights.baseAddress!))
                        // One number is one slice of one channel, or of the weights' own sums.
                        pool.forEach((channels + 1) * zs.count) { number in
                            let (channel, dz) = (number / zs.count, zs.lowerBound + number % zs.count)
                            let slot = (z + dz) % rows
                            for dy in ys {
                                let to = slot * plane + first + dy * width
                                let from = (dz * extent.y + dy) * extent.x
                                // SAFETY: `inside` holds the writes in the sums; numbers share no slice.
                                let weight = weights.base + from + xs.lowerBound
                                if channel == channels {
                                    addProduct(weight, share, nil, xs.count, to: counts.base + to + xs.lowerBound)
                                } else {
                                    addProduct(
                                        weight, share, turned.base + channel * voxels + from + xs.lowerBound, xs.count,
                                        to: sums.base + channel * rows * plane + to + xs.lowerBound)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// sum[i] += weight[i] · share · values[i], or without values where those are nil; 16 at a time.
///
/// SAFETY: all hold `count` values.
@inline(__always)
private func addProduct(
    _ weight: UnsafePointer<Float>, _ share: Float, _ values: UnsafePointer<Float>?, _ count: Int,
    to sum: UnsafeMutablePointer<Float>
) {
    typealias Lanes = SIMD16<Float>
    func lanes(_ pointer: UnsafePointer<Float>) -> Lanes { UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self) }
    var i = 0
    while i + 16 <= count {
        var product = lanes(weight + i) * share
        if let values { product *= lanes(values + i) }
        UnsafeMutableRawPointer(sum + i).storeBytes(of: lanes(sum + i) + product, as: Lanes.self)
        i += 16
    }
    while i < count {
        sum[i] += weight[i] * share * (values?[i] ?? 1)
        i += 1
    }
}

/// An address that several threads use, each other places of it.
struct Shared<Pointer>: @unchecked Sendable {
    let base: Pointer

    init(_ base: Pointer) { self.base = base }
}
