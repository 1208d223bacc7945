import SardonyxImaging

/// Where tiles lie on a network's grid and what shape the network takes them in.
struct TileLayout: Sendable {
    /// Voxels of a tile along the network's three spatial axes; a 2D network's first is 1.
    let size: [Int]
    /// Where tiles begin along x, y, z.
    let starts: [[Int]]
    /// The same voxels along x, y, z.
    let extent: SIMD3<Int>
    /// Whether the network has two spatial axes.
    let isFlat: Bool
    /// Slices on each side that a flat network sees too.
    let neighbours: Int
    /// Channels of the study.
    let channels: Int
    /// Tiles in a run.
    let batch: Int
    /// Whether a run takes fewer tiles when there are fewer.
    let takesFewer: Bool
    /// Flips that are averaged: each a set of network axes.
    let flips: [[Bool]]

    /// - Throws: `PipelineFailure` `.badModel` when the model's fixed shape is not the pipeline's.
    init(_ pipeline: Pipeline, grid dims: SIMD3<Int>, networkAxis: [Int], fixedShape: [Int?]) throws {
        let tiling = pipeline.tiling
        isFlat = try TileLayout.isFlat(tiling, fixedShape)
        neighbours = isFlat ? tiling.neighbours : 0
        channels = pipeline.input.channels.count
        let spatial = isFlat ? 2 : 3
        guard tiling.size.isEmpty || tiling.size.count == spatial else {
            throw PipelineFailure(
                .badModel,
                "the model sees \(spatial) spatial axes, tiling.size has \(tiling.size.count) values: give \(spatial)")
        }
        if let axis = tiling.mirror.first(where: { !(0..<spatial).contains($0) }) {
            throw PipelineFailure(
                .badModel,
                "the model sees \(spatial) spatial axes, tiling.mirror names axis \(axis): they are 0 to \(spatial - 1)"
            )
        }
        var sizes: [Int] = []
        for n in 0..<spatial {
            let w = networkAxis.firstIndex(of: n + 3 - spatial) ?? 0
            let fixed = fixedShape.isEmpty ? nil : fixedShape[2 + n]
            let wanted = tiling.size.isEmpty ? nil : tiling.size[n]
            if let fixed, let wanted, fixed != wanted {
                throw PipelineFailure(
                    .badModel,
                    "the model takes \(fixed) voxels along its spatial axis \(n), the pipeline's tiles have \(wanted): "
                        + "leave out tiling.size, or export the model with that axis dynamic")
            }
            let whole = (dims[w] + tiling.multiple - 1) / tiling.multiple * tiling.multiple
            sizes.append(fixed ?? wanted ?? whole)
        }
        size = isFlat ? [1] + sizes : sizes
        if let expected = fixedShape.count > 1 ? fixedShape[1] : nil, expected != channels * (2 * neighbours + 1) {
            throw PipelineFailure(
                .badModel,
                "the model takes \(expected) channels, the pipeline gives \(channels * (2 * neighbours + 1))")
        }
        let fixedBatch = fixedShape.first ?? nil
        batch = max(1, fixedBatch ?? tiling.batch)
        takesFewer = fixedBatch == nil
        var starts: [[Int]] = []
        var extent = SIMD3<Int>(1, 1, 1)
        for w in 0..<3 {
            let tile = size[networkAxis[w]]
            extent[w] = tile
            if spatial == 2, networkAxis[w] == 0 {
                starts.append(Array(0..<dims[w]))
                continue
            }
            switch tiling.scheme {
            case .whole:
                guard tile >= dims[w] else {
                    throw PipelineFailure(
                        .badModel,
                        "the model takes \(tile) voxels where the image has \(dims[w]): set tiling.scheme to monai or "
                            + "nnunet, or input.size to the model's")
                }
                starts.append(TileStarts.monai(count: dims[w], tile: tile, overlap: 0))
            case .monai: starts.append(TileStarts.monai(count: dims[w], tile: tile, overlap: tiling.overlap))
            case .nnunet: starts.append(TileStarts.nnunet(count: dims[w], tile: tile, overlap: tiling.overlap))
            }
        }
        self.starts = starts
        self.extent = extent
        var flips = [[false, false, false]]
        for axis in tiling.mirror {
            let n = axis + 3 - spatial
            flips += flips.map { flip in flip.indices.map { $0 == n ? true : flip[$0] } }
        }
        self.flips = flips
        guard shape(1).reduce(1.0, { $0 * Double($1) }) <= Double(TileLayout.mostValues) else {
            throw PipelineFailure(
                .overBudget,
                "a tile would have the shape \(shape(1)), which no machine holds: make tiling.size smaller")
        }
    }

    /// The shape of the smallest run, where it does not depend on the image; `nil` where it does.
    static func leastShape(_ pipeline: Pipeline, fixedShape: [Int?]) -> [Int]? {
        let fixed = fixedShape.dropFirst(2).compactMap { $0 }
        guard fixedShape.count == 5 || fixedShape.count == 4 else { return nil }
        let spatial = fixedShape.count - 2
        let known: [Int]
        if fixed.count == spatial {
            known = fixed
        } else if pipeline.tiling.size.count == spatial {
            known = pipeline.tiling.size
        } else if case .size(let size) = pipeline.input.sampling, size.suffix(spatial).allSatisfy({ $0 != nil }),
            pipeline.input.crop == .none || !pipeline.input.cropsLast
        {
            known = size.suffix(spatial).compactMap { $0 }
        } else {
            return nil
        }
        let dims = SIMD3(known[spatial - 1], known[spatial - 2], spatial == 3 ? known[0] : 1)
        return try? TileLayout(pipeline, grid: dims, networkAxis: [2, 1, 0], fixedShape: fixedShape).leastShape
    }

    /// Values of a tile beyond which counts of bytes might overflow.
    private static let mostValues = 1 << 40

    /// Whether the network has two spatial axes.
    ///
    /// - Throws: `PipelineFailure` `.badModel` when its input is no image.
    static func isFlat(_ tiling: Pipeline.Tiling, _ fixedShape: [Int?]) throws -> Bool {
        if fixedShape.isEmpty { return tiling.size.count == 2 }
        let extents = fixedShape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
        guard fixedShape.count == 4 || fixedShape.count == 5, fixedShape.allSatisfy({ $0 ?? 1 > 0 }) else {
            throw PipelineFailure(
                .badModel,
                "the model's input has the shape [\(extents)]; expected [batch, channels, height, width] or "
                    + "[batch, channels, depth, height, width]")
        }
        return fixedShape.count == 4
    }

    /// Tiles of one step along z, flips counted.
    var runsPerRow: Int { starts[0].count * starts[1].count * flips.count }

    /// Whether each slice of the grid lies in one tile only, seen once.
    var isDisjoint: Bool { runsPerRow == 1 && (isFlat || starts[2].count == 1) }

    /// The network's input in the smallest run.
    var leastShape: [Int] { shape(takesFewer ? 1 : batch) }

    /// The network's input for so many tiles.
    func shape(_ tiles: Int) -> [Int] {
        [tiles, channels * (2 * neighbours + 1)] + (isFlat ? Array(size.dropFirst()) : size)
    }

    /// Voxels along the network's axes of a tile that is `zoom` (along x, y, z) times as large.
    func size(_ grid: WorkingGrid, zoom: SIMD3<Int>) -> [Int] {
        var sizes = size
        for w in 0..<3 { sizes[grid.networkAxis[w]] *= zoom[w] }
        return sizes
    }

    /// The weight of each voxel of a tile of the network's output, x fastest.
    func weights(_ tiling: Pipeline.Tiling, _ grid: WorkingGrid) -> [Float] {
        let sizes = size(grid, zoom: grid.zoom)
        guard tiling.weight == .gaussian, tiling.scheme != .whole else {
            return [Float](repeating: 1, count: sizes.reduce(1, *))
        }
        // A flat network's weights are the plane's.
        let axes = isFlat ? Array(sizes.dropFirst()) : sizes
        let map =
            tiling.scheme == .monai
            ? TileWeights.monai(size: axes, sigma: tiling.sigma) : TileWeights.nnunet(size: axes, sigma: tiling.sigma)
        let (_, step) = strides([false, false, false], grid, zoom: grid.zoom)
        let extent = extent &* grid.zoom
        var turned: [Float] = []
        turned.reserveCapacity(map.count)
        for z in 0..<extent.z {
            for y in 0..<extent.y { for x in 0..<extent.x { turned.append(map[z * step.z + y * step.y + x * step.x]) } }
        }
        return turned
    }

    /// The part of a tile along x, y, z that lies in the image, as offsets from the tile's beginning.
    func inside(_ start: Int, _ w: Int, _ dims: SIMD3<Int>) -> Range<Int> {
        max(0, -start)..<min(extent[w], dims[w] - start)
    }

    /// For x, y, z: elements from one voxel to the next in a tile of the network's order, and where the first one is.
    func strides(_ flip: [Bool], _ grid: WorkingGrid, zoom: SIMD3<Int>) -> (start: Int, step: SIMD3<Int>) {
        let sizes = size(grid, zoom: zoom)
        let strides = [sizes[1] * sizes[2], sizes[2], 1]
        var start = 0
        var step = SIMD3<Int>(0, 0, 0)
        for w in 0..<3 {
            let n = grid.networkAxis[w]
            step[w] = flip[n] ? -strides[n] : strides[n]
            if flip[n] { start += strides[n] * (sizes[n] - 1) }
        }
        return (start, step)
    }
}
