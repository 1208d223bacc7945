import SardonyxImaging

/// The network's grid over a study's images, and where its tiles lie: all that must be known before values are prepared.
struct StudyLayout {
    let route: WorkingGrid.Route
    /// What is kept of the source, in working indices.
    let crop: VoxelBox
    /// What is kept of the network's grid over it; `nil` for all.
    let window: VoxelBox?
    /// The network's grid, of as many voxels as its input's.
    let grid: WorkingGrid
    let tiles: TileLayout

    /// Finds the crop, which reads the images where the pipeline asks for one.
    ///
    /// - Parameter fixedShape: the extents of the model's input that are fixed: [batch, channels, spatial …].
    init(
        _ pipeline: Pipeline, _ images: StudyImages, network: any Network, fixedShape: [Int?], _ resources: Resources
    ) throws {
        let route = WorkingGrid.Route(
            pipeline.input.axes, of: images.grid, isFlat: try TileLayout.isFlat(pipeline.tiling, fixedShape))
        self.route = route
        func place(_ crop: VoxelBox, _ window: VoxelBox?) throws -> (WorkingGrid, TileLayout) {
            let grid = try WorkingGrid(
                pipeline.input, output: pipeline.output.interpolation, source: images.grid, route: route, crop: crop,
                window: window, zoom: [1, 1, 1])
            let tiles = try TileLayout(
                pipeline, grid: grid.dims, networkAxis: grid.networkAxis, fixedShape: fixedShape)
            return (grid, tiles)
        }
        let areTilesKnown =
            !pipeline.tiling.size.isEmpty || fixedShape.count > 2 && fixedShape.dropFirst(2).allSatisfy { $0 != nil }
        if pipeline.input.crop != .none, areTilesKnown {
            // The network's part is the same whatever is kept.
            let (_, tiles) = try place(VoxelBox(dims: SIMD3(1, 1, 1)), nil)
            try resources.limit.check(
                network.byteCount(shape: tiles.leastShape) + Preparation.byteCount(images, pipeline.input, route),
                tiles.summary)
        }
        (crop, window) = try Preparation.crop(images, pipeline.input, route, resources)
        (grid, tiles) = try place(crop, window)
    }
}

extension TileLayout {
    /// "96×96×96", "512×512".
    var sizeText: String { size.dropFirst(isFlat ? 1 : 0).map(String.init).joined(separator: "×") }

    /// "tiles of 96×96×96 voxels, 4 at a time".
    var summary: String { "tiles of \(sizeText) voxels, \(batch) at a time" }
}
