import SardonyxExecution
import SardonyxImaging

/// What must be known of a study's values before its first tile: the figures that intensity steps ask for.
struct Preparation {
    private let images: StudyImages
    private let input: Pipeline.Input
    private let route: WorkingGrid.Route
    private let pool: WorkerPool
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
    ///   - window: what is kept of the network's grid over it; `nil` for all.
    init(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, crop: VoxelBox,
        window: VoxelBox?, _ resources: Resources
    ) throws {
        self.images = images
        self.input = input
        self.route = route
        pool = resources.pool
        var stage = Stage(crop: crop, window: window, resources: resources)
        stage.foreground = try Preparation.mask(stage, images, input, route)
        // Figures are of the grid on which intensities are changed, a range is of what is resampled.
        let isEarly = input.changesIntensityFirst
        for n in images.channels.indices {
            stage.changes.append([])
            if isEarly { stage.changes[n] = try Preparation.resolve(n, stage, images, input, route) }
            stage.limits.append(try Preparation.limits(n, stage, images, input, route))
        }
        if !isEarly {
            stage.isResampled = true
            for n in images.channels.indices {
                stage.changes[n] = try Preparation.resolve(n, stage, images, input, route)
            }
        }
        (changes, limits, foreground) = (stage.changes, stage.limits, stage.foreground)
    }

    /// The study's channels on a grid, with their intensity steps, one source each.
    func sources(on grid: WorkingGrid) -> [RowSource] {
        let isEarly = input.changesIntensityFirst
        return images.channels.indices.map { n in
            RowSource(
                images.channels[n], on: grid, before: isEarly ? changes[n] : [], after: isEarly ? [] : changes[n],
                foreground: foreground, limits: limits[n], pool)
        }
    }

    /// What has been found so far.
    private struct Stage {
        var crop: VoxelBox
        var window: VoxelBox?
        let resources: Resources
        var isResampled = false
        var foreground: SpillVolume<UInt16>?
        /// Of each channel.
        var changes: [[IntensityChange]] = []
        var limits: [ValueLimits?] = []
    }

    /// The most bytes that preparing holds: slices of the whole source, which a crop is found in.
    static func byteCount(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> Int {
        let grid = try sourceGrid(images, input, route, crop: whole(images, route))
        return byteCount(images, grid, input)
    }

    /// Bytes that a walk over a grid's slices holds: one channel, a slice of values and one of a mask.
    private static func byteCount(_ images: StudyImages, _ grid: WorkingGrid, _ input: Pipeline.Input) -> Int {
        images.byteCount + RowSource.byteCount(grid, hasForeground: input.usesForeground)
            + 6 * grid.dims.x * grid.dims.y
    }

    /// All of the source, in working indices.
    private static func whole(_ images: StudyImages, _ route: WorkingGrid.Route) -> VoxelBox {
        let (dims, axes) = (images.grid.dims, route.sourceAxis)
        return VoxelBox(dims: SIMD3(dims[axes[0]], dims[axes[1]], dims[axes[2]]))
    }

    /// The network's grid, or the source's before the resampling.
    private static func grid(
        _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> WorkingGrid {
        guard stage.isResampled else { return try sourceGrid(images, input, route, crop: stage.crop) }
        return try WorkingGrid(
            input, output: .nearest, source: images.grid, route: route, crop: stage.crop,
            window: stage.window, zoom: [1, 1, 1])
    }

    /// The source's own grid.
    private static func sourceGrid(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, crop: VoxelBox
    ) throws -> WorkingGrid {
        var input = input
        input.sampling = .source
        return try WorkingGrid(
            input, output: .nearest, source: images.grid, route: route, crop: crop, zoom: [1, 1, 1])
    }

    /// A channel's slices on the grid of a stage, changed as far as is known.
    private static func slices(
        _ n: Int, _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route,
        _ visit: (Int, UnsafeMutableBufferPointer<Float>, SIMD3<Int>) throws -> Void
    ) throws {
        let channel = images.channels[n]
        let changes = n < stage.changes.count ? stage.changes[n] : []
        let isEarly = input.changesIntensityFirst
        let grid = try grid(stage, images, input, route)
        try stage.resources.limit.check(
            byteCount(images, grid, input), "slices of \(grid.dims.x)×\(grid.dims.y) voxels")
        let source = RowSource(
            channel, on: grid, before: isEarly ? changes : [], after: isEarly ? [] : changes,
            foreground: stage.foreground, limits: stage.isResampled ? stage.limits[n] : nil,
            stage.resources.pool)
        var values = [Float](repeating: 0, count: grid.dims.x * grid.dims.y)
        for z in 0..<grid.dims.z {
            try values.withUnsafeMutableBufferPointer { values in
                try source.slice(z, into: values.baseAddress!)
                try visit(z, values, grid.dims)
            }
        }
    }

    /// What a pipeline keeps of the images, in working indices: a box of the source, and one of the network's grid over
    /// it where it crops that; all where nothing is to be seen.
    static func crop(
        _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route, _ resources: Resources
    ) throws -> (source: VoxelBox, window: VoxelBox?) {
        let whole = whole(images, route)
        var stage = Stage(crop: whole, resources: resources)
        guard input.cropsLast, input.crop != .none else {
            return (try foregroundBox(stage, images, input, route) ?? whole, nil)
        }
        for n in images.channels.indices {
            stage.limits.append(nil)
            stage.changes.append([])
            if input.changesIntensityFirst { stage.changes[n] = try resolve(n, stage, images, input, route) }
        }
        stage.isResampled = true
        return (whole, try foregroundBox(stage, images, input, route))
    }

    /// The box around the foreground on the grid of a stage; `nil` where there is none, or no crop.
    private static func foregroundBox(
        _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> VoxelBox? {
        var found: ForegroundBox
        let margin: Int
        switch input.crop {
        case .none: return nil
        case .foreground(let bound, let width): (found, margin) = (ForegroundBox(.above(Float(bound))), width)
        case .nonzero(let width): (found, margin) = (ForegroundBox(.nonzero), width)
        }
        var whole = stage.crop
        for n in images.channels.indices {
            try slices(n, stage, images, input, route) { z, values, size in
                whole = VoxelBox(upper: size)
                found.add(values.baseAddress!, dims: SIMD3(size.x, size.y, 1), at: SIMD3(0, 0, z))
            }
        }
        return found.box?.padded(by: margin).intersection(whole)
    }

    /// A channel's steps with their figures.
    private static func resolve(
        _ n: Int, _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> [IntensityChange] {
        var stage = stage
        var inside: [UInt16] = []
        for step in input.channels[n].intensity {
            let figures = try step.region.map { region in
                try RegionFigures(
                    of: region, percentiles: step.percentiles, moments: step.needsMoments, stage.resources.pool
                ) { visit in
                    try slices(n, stage, images, input, route) { z, values, _ in
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
                    .blank, path: images.channels[n].file.path,
                    problem: "no voxel is above 0, so there is nothing to see", remedy: "check the image")
            }
            stage.changes[n] += step.resolved(figures)
        }
        return stage.changes[n]
    }

    /// The range of a channel, or of each of its slices along the axis that is resampled apart, where a spline is to
    /// keep it.
    private static func limits(
        _ n: Int, _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> ValueLimits? {
        guard input.keepsRange, input.interpolation == .cubic else { return nil }
        var resampled = stage
        resampled.isResampled = true
        let grid = try grid(resampled, images, input, route)
        guard !grid.forward.allSatisfy(\.isCopy) else { return nil }
        var limits = ValueLimits(dims: stage.crop.size, along: grid.separateAxis)
        try slices(n, stage, images, input, route) { z, values, size in
            limits.add(values.baseAddress!, dims: SIMD3(size.x, size.y, 1), at: SIMD3(0, 0, z))
        }
        return limits
    }

    /// 1 where any channel is not 0, holes filled; `nil` when no step asks for it.
    private static func mask(
        _ stage: Stage, _ images: StudyImages, _ input: Pipeline.Input, _ route: WorkingGrid.Route
    ) throws -> SpillVolume<UInt16>? {
        guard input.usesForeground else { return nil }
        let size = stage.crop.size
        let mask = try SpillVolume<UInt16>(dims: size, folder: stage.resources.folder)
        var row = [UInt16](repeating: 0, count: size.x * size.y)
        for n in images.channels.indices {
            try slices(n, stage, images, input, route) { z, values, _ in
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
