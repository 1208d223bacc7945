import SardonyxExecution
import SardonyxImaging

/// One volume of a study through a pipeline: values or labels on the source's grid, in bounded memory.
struct StudyRun {
    let pipeline: Pipeline
    let images: StudyImages
    let grid: WorkingGrid
    let layout: TileLayout
    let network: any Network
    let outputChannels: Int
    private let place: StudyLayout
    private let resources: Resources

    /// Checks that pipeline, model and images fit together, and that the run will not hold too much.
    ///
    /// - Parameters:
    ///   - fixedShape: the extents of the model's input that are fixed: [batch, channels, spatial …].
    init(
        _ pipeline: Pipeline, _ images: StudyImages, network: any Network, fixedShape: [Int?],
        _ resources: Resources
    ) throws {
        self.pipeline = pipeline
        self.images = images
        self.network = network
        self.resources = resources
        place = try StudyLayout(pipeline, images, network: network, fixedShape: fixedShape, resources)
        layout = place.tiles
        let shape = try network.outputShape(shape: layout.leastShape)
        let spatial = layout.isFlat ? 2 : 3
        guard shape.count == spatial + 2, shape[0] == layout.leastShape[0], (1...1 << 16).contains(shape[1]) else {
            throw PipelineFailure(
                .badModel,
                "the model's output has the shape \(shape) for an input of \(layout.leastShape); expected a value for "
                    + "each voxel and class")
        }
        outputChannels = shape[1]
        var zoom = [1, 1, 1]
        for n in 0..<spatial {
            let axis = n + 3 - spatial
            guard shape[2 + n] > 0, shape[2 + n] % layout.size[axis] == 0 else {
                throw PipelineFailure(
                    .badModel,
                    "the model makes \(shape[2 + n]) voxels of \(layout.size[axis]) along its spatial axis \(n); expected "
                        + "as many, or a whole number of times as many")
            }
            zoom[axis] = shape[2 + n] / layout.size[axis]
        }
        grid = try WorkingGrid(
            pipeline.input, output: pipeline.output.interpolation, source: images.grid, route: place.route,
            crop: place.crop, window: place.window, zoom: zoom)
        try checkLabels()
        try resources.limit.check(try peakMemory(), layout.summary)
    }

    /// - Throws: `PipelineFailure` `.badModel` when the model's channels are not those that the labels are for.
    private func checkLabels() throws {
        guard needsLabels else { return }
        let isArgmax = pipeline.output.decision == .argmax
        guard !isArgmax || outputChannels > 1 else {
            throw PipelineFailure(
                .badModel,
                "the model's output has one channel, of which argmax makes nothing but background: set output.decision "
                    + "to {threshold: 0.5}")
        }
        let possible = outputChannels - (isArgmax ? 1 : 0)
        guard pipeline.labels.count <= possible else {
            throw PipelineFailure(
                .badModel,
                "the model's output has \(outputChannels) channels, enough for \(possible) labels; the pipeline has "
                    + "\(pipeline.labels.count)")
        }
        let table = labelTable
        guard Set(table).count == table.count else {
            throw PipelineFailure(
                .badModel,
                "the model's output has \(outputChannels) channels, the pipeline \(pipeline.labels.count) labels, and "
                    + "those without a label would share others' values: name them all")
        }
    }

    /// The grid of the results: the source's, refined where the model refines.
    var resultGrid: VoxelGrid {
        var dims = images.grid.dims
        for w in 0..<3 { dims[grid.sourceAxis[w]] *= grid.zoom[w] }
        return dims == images.grid.dims ? images.grid : images.grid.resized(to: dims)
    }

    /// Tiles that the network will see, flips counted.
    var tileCount: Int { layout.runsPerRow * layout.starts[2].count }

    /// The most bytes that the run holds at once, the network's with its weights included: those stay from volume to
    /// volume, while images are prepared too.
    func peakMemory() throws -> Int {
        let tiles = min(layout.batch, layout.runsPerRow)
        let source = RowSource.byteCount(grid, hasForeground: pipeline.input.usesForeground)
        let running =
            images.byteCount + images.channels.count * source
            + TiledRun.byteCount(grid, layout, outputChannels: outputChannels)
            + RowRestorer.byteCount(grid, channels: outputChannels) + sinkBytes + 7 * plane
        return try network.byteCount(shape: layout.shape(layout.takesFewer ? tiles : layout.batch))
            + max(running, Preparation.byteCount(images, pipeline.input, place.route))
    }

    /// Voxels of a slice of the result.
    private var plane: Int { grid.backward[0].outputCount * grid.backward[1].outputCount }

    private var sinkBytes: Int {
        let values = needsValues ? outputChannels * ResultSink<Float>.byteCount(grid) : 0
        return values + (labelSinkCount > 0 ? LabelSink.byteCount(grid, count: labelSinkCount) : 0)
    }

    private var labelSinkCount: Int { (needsLabels ? 1 : 0) + (needsMasks ? outputChannels : 0) }

    private var needsLabels: Bool {
        pipeline.output.decision != .values
    }

    private var needsMasks: Bool { pipeline.results.contains { $0.kind == .masks } }

    private var needsValues: Bool {
        pipeline.output.decision == .values || pipeline.results.contains { $0.kind == .probabilities }
    }

    /// What a run leaves.
    struct Result {
        /// A label for each voxel of the result grid; `nil` when the pipeline decides nothing.
        let labels: RunStore?
        /// The values of each channel, where a result file asks for them.
        let values: [SpillVolume<Float>]
        /// One for each channel's label: that label where its own value says so, where a result file asks for them.
        let masks: [RunStore]

        /// Postprocesses the labels, and each mask as if its label were the only one.
        func clean(_ steps: [LabelCleaning], voxelVolume: Double) throws {
            for volume in (labels.map { [$0] } ?? []) + masks {
                try LabelCleaning.apply(steps, to: volume, voxelVolume: voxelVolume)
            }
        }
    }

    /// Runs the network over the study.
    func callAsFunction(progress: (Double) -> Void) throws -> Result {
        let preparation = try Preparation(
            images, pipeline.input, place.route, crop: place.crop, window: place.window, resources)
        let run = TiledRun(
            grid, layout, pipeline.tiling, sources: preparation.sources(on: grid), network: network,
            background: (0..<outputChannels).map { pipeline.output.background($0) }, resources.pool)
        let restorer = RowRestorer(grid, channels: outputChannels, resources.pool)
        let output = pipeline.output
        let labels = needsLabels ? try LabelSink(grid, of: labelSinkCount, resources) : nil
        let values =
            needsValues
            ? try (0..<outputChannels).map { try ValueSink(grid, resources, outside: output.outside($0)) }
            : []
        let masks =
            needsMasks
            ? try (0..<outputChannels).map { _ in try LabelSink(grid, of: labelSinkCount, resources) } : []
        let table = labelTable
        var mask = [UInt16](repeating: 0, count: needsMasks ? plane : 0)
        let bound: Float? = if case .threshold(let value) = output.decision { Float(value) } else { nil }
        var decided = [UInt16](repeating: 0, count: plane)
        let undo = output.restoresIntensity ? preparation.changes.first.map { $0.reversed() } ?? [] : []
        // The largest of a voxel's values stays the largest, so that nothing need be done where nothing lies between.
        let isBare =
            !needsValues && !needsMasks && output.decision == .argmax && (output.activatesLast || grid.isCopiedBack)
        func activate(_ slice: UnsafeMutableBufferPointer<Float>, isRestored: Bool) {
            guard output.activatesLast == isRestored, !isBare else { return }
            output.activation.apply(slice, channels: outputChannels, resources.pool)
        }
        try run(progress: progress) { z, slice in
            activate(slice, isRestored: false)
            try restorer.take(z, slice) { row, slice in
                activate(slice, isRestored: true)
                for change in undo { change.revert(slice) }
                for (channel, sink) in values.enumerated() {
                    try sink.take(row, UnsafeBufferPointer(rebasing: slice[channel * plane..<(channel + 1) * plane]))
                }
                guard let labels else { return }
                decided.withUnsafeMutableBufferPointer {
                    output.decision.labels(
                        UnsafeBufferPointer(slice), channels: outputChannels, table: table, into: $0, resources.pool)
                }
                try decided.withUnsafeBufferPointer { try labels.take(row, $0) }
                for (channel, sink) in masks.enumerated() {
                    for index in 0..<plane {
                        let isInside =
                            bound.map { slice[channel * plane + index] > $0 } ?? (decided[index] == table[channel])
                        mask[index] = isInside ? table[channel] : 0
                    }
                    try mask.withUnsafeBufferPointer { try sink.take(row, $0) }
                }
            }
        }
        try labels?.flush()
        for sink in values { try sink.flush() }
        for sink in masks { try sink.flush() }
        return Result(labels: labels?.volume, values: values.map(\.volume), masks: masks.map(\.volume))
    }

    /// The label of each of the model's output channels.
    var labelTable: [UInt16] {
        let values = pipeline.labels.map { UInt16(clamping: $0.value) }
        if pipeline.output.decision == .argmax {
            return (0..<outputChannels).map { $0 == 0 ? 0 : $0 <= values.count ? values[$0 - 1] : UInt16(clamping: $0) }
        }
        return (0..<outputChannels).map { $0 < values.count ? values[$0] : UInt16(clamping: $0 + 1) }
    }
}
