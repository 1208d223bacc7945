import SardonyxExecution
import SardonyxImaging

/// What must be known of a study's values before its first tile: the figures that intensity steps ask for.
struct Preparation {
    private let images: StudyImages
    private let input: Pipeline.Input
    private let route: WorkingGrid.Route
    /// The intensity steps of each channel, with figures.
    let changes: [[IntensityChange]]
    /// 1 for each voxel of the foreground over `crop`, where a step asks for it.
    private let foreground: SpillVolume<UInt16>?
    /// What each channel is held to on the network's grid; `nil` where nothing leaves its range, or may.
    private let limits: [ValueLimits?]

    /// Walks through the images as often as steps ask for.
    ///
    /// - Parameters:
    ///   - crop: what is kept of the source, in working indices.
    ///   - folder: for masks that do not fit into memory.
    init(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, crop: VoxelBox, folder: String,
        _ limit: MemoryLimit
    ) throws {
        self.images = images
        self.input = input
        self.route = route
        var stage = Stage(crop: crop, limit: limit)
        stage.foreground = try Preparation.mask(stage, images, input, route, folder)
        var changes: [[IntensityChange]] = []
        var limits: [ValueLimits?] = []
        for (channel, steps) in zip(images.channels, input.channels.map(\.intensity)) {
            // A range is of what is resampled, figures are of the grid on which intensities are changed.
            var known: [IntensityChange] = []
            if input.changesIntensityFirst {
                stage.isResampled = false
                known = try Preparation.resolve(channel, steps, stage, images, input, route)
            }
            stage.limits = try Preparation.limits(channel, known, stage, images, input, route)
            if !input.changesIntensityFirst {
                stage.isResampled = true
                known = try Preparation.resolve(channel, steps, stage, images, input, route)
            }
            changes.append(known)
            limits.append(stage.limits)
        }
        (self.changes, self.limits) = (changes, limits)
        foreground = stage.foreground
    }

    /// The study's channels on a grid, with their intensity steps, one source each.
    func sources(on grid: WorkingGrid) -> [RowSource] {
        let isEarly = input.changesIntensityFirst
        return images.channels.indices.map { n in
            RowSource(
                images.channels[n], on: grid, before: isEarly ? changes[n] : [], after: isEarly ? [] : changes[n],
                foreground: foreground, limits: limits[n])
        }
    }

    /// What has been found so far.
    private struct Stage {
        var crop: VoxelBox
        let limit: MemoryLimit
        var isResampled = false
        var foreground: SpillVolume<UInt16>?
        /// Of the channel at hand.
        var limits: ValueLimits?
    }

    /// The grid as it stands at a stage, and a channel's slices on it.
    private static func slices(
        _ channel: SourceChannel, _ changes: [IntensityChange], _ stage: Stage, _ images: StudyImages,
        _ input: Pipeline.Input, _ route: WorkingGrid.Route,
        _ visit: (Int, UnsafeMutableBufferPointer<Float>, SIMD3<Int>) throws -> Void
    ) throws {
        var input = input
        let isEarly = input.changesIntensityFirst
        if !stage.isResampled { input.sampling = .source }
        let grid = try WorkingGrid(
            input, output: .nearest, source: images.grid, route: route, crop: stage.crop, zoom: [1, 1, 1])
        let bytes = RowSource.byteCount(grid) + 4 * grid.dims.x * grid.dims.y
        try stage.limit.check(bytes, "slices of \(grid.dims.x)×\(grid.dims.y) voxels")
        let source = RowSource(
            channel, on: grid, before: isEarly ? changes : [], after: isEarly ? [] : changes,
            foreground: stage.foreground, limits: stage.isResampled ? stage.limits : nil)
        var values = [Float](repeating: 0, count: grid.dims.x * grid.dims.y)
        for z in 0..<grid.dims.z {
            try values.withUnsafeMutableBufferPointer { values in
                try source.slice(z, into: values.baseAddress!)
                try visit(z, values, grid.dims)
            }
        }
    }

    /// What a pipeline keeps of the images, in working indices: the box around the foreground; all where there is none.
    static func crop(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, _ limit: MemoryLimit
    ) throws -> VoxelBox {
        let dims = images.grid.dims
        let axes = route.sourceAxis
        let stage = Stage(crop: VoxelBox(dims: SIMD3(dims[axes[0]], dims[axes[1]], dims[axes[2]])), limit: limit)
        var found: ForegroundBox
        let margin: Int
        switch input.crop {
        case .none: return stage.crop
        case .foreground(let bound, let width): (found, margin) = (ForegroundBox(.above(Float(bound))), width)
        case .nonzero(let width): (found, margin) = (ForegroundBox(.nonzero), width)
        }
        for channel in images.channels {
            try slices(channel, [], stage, images, input, route) { z, values, size in
                found.add(values.baseAddress!, dims: SIMD3(size.x, size.y, 1), at: SIMD3(0, 0, z))
            }
        }
        return found.box?.padded(by: margin).intersection(stage.crop) ?? stage.crop
    }

    /// A channel's steps with their figures.
    private static func resolve(
        _ channel: SourceChannel, _ steps: [Pipeline.IntensityStep], _ stage: Stage, _ images: StudyImages,
        _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> [IntensityChange] {
        var changes: [IntensityChange] = []
        var inside: [UInt16] = []
        for step in steps {
            let figures = try step.region.map { region in
                try RegionFigures(of: region, percentiles: step.percentiles) { visit in
                    try slices(channel, changes, stage, images, input, route) { z, values, _ in
                        guard let foreground = stage.foreground, !stage.isResampled else { return visit(values, nil) }
                        if inside.count != values.count { inside = [UInt16](repeating: 1, count: values.count) }
                        try inside.withUnsafeMutableBufferPointer { inside in
                            try foreground.read(slice: z, into: inside)
                            visit(values, UnsafeBufferPointer(inside))
                        }
                    }
                }
            }
            if case .divideByMaximum = step, (figures?.most ?? 0) <= 0 || figures?.count == 0 {
                throw ImagingError(
                    .blank, path: channel.file.path, problem: "no voxel is above 0, so there is nothing to see",
                    remedy: "check the image")
            }
            changes += step.resolved(figures)
        }
        return changes
    }

    /// The range of a channel, or of each of its slices along the axis that is resampled apart, where a spline is to keep
    /// it.
    private static func limits(
        _ channel: SourceChannel, _ changes: [IntensityChange], _ stage: Stage, _ images: StudyImages,
        _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> ValueLimits? {
        guard input.keepsRange, input.interpolation == .cubic else { return nil }
        let grid = try WorkingGrid(
            input, output: .nearest, source: images.grid, route: route, crop: stage.crop, zoom: [1, 1, 1])
        guard !grid.forward.allSatisfy(\.isCopy) else { return nil }
        var plain = stage
        plain.isResampled = false
        var limits = ValueLimits(dims: stage.crop.size, along: grid.separateAxis)
        try slices(channel, changes, plain, images, input, route) { z, values, size in
            limits.add(values.baseAddress!, dims: SIMD3(size.x, size.y, 1), at: SIMD3(0, 0, z))
        }
        return limits
    }

    /// 1 where any channel is not 0, holes filled; `nil` when no step asks for it.
    private static func mask(
        _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, _ folder: String
    ) throws -> SpillVolume<UInt16>? {
        guard input.channels.contains(where: { $0.intensity.contains { $0.region == .foreground } }) else { return nil }
        let size = stage.crop.size
        let mask = try SpillVolume<UInt16>(dims: size, folder: folder)
        var plain = stage
        plain.isResampled = false
        var row = [UInt16](repeating: 0, count: size.x * size.y)
        for channel in images.channels {
            try slices(channel, [], plain, images, input, route) { z, values, _ in
                try row.withUnsafeMutableBufferPointer { row in
                    try mask.read(slice: z, into: row)
                    for index in row.indices where values[index] != 0 { row[index] = 1 }
                    try mask.write(slice: z, from: UnsafeBufferPointer(row))
                }
            }
        }
        // Along an axis of one voxel everything lies at the border.
        if size.min() > 1 { try LabelCleaning.apply([.fillHoles()], to: mask, voxelVolume: 1) }
        return mask
    }
}
