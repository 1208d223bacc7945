#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Measures of every label of a volume, in a few passes over its slices.
///
/// Memory: 2 bytes a voxel of one slice for labels and 24 a run, 4 a voxel for the image, for surfaces 24 a run (48 with
/// parts); 0.3 kB a region; up to 32 MiB of counters for percentiles (64 with parts); with parts the tables of
/// `StreamingComponents`. Only diameters take more for more slices: 16 bytes for each corner of the convex hull of each
/// region in each slice, some kilobytes a slice.
public struct LabelMeasures: Sendable {
    /// The labels to measure, in this order, also those that do not occur; empty means those that occur, rising.
    public var labels: [UInt16] = []
    /// Measure each connected part, too.
    public var measuresComponents = false
    /// What connects a part.
    public var connectivity = Connectivity.faces
    /// The percentiles of the image's values, each 0 to 100.
    public var percentiles: [Double] = [5, 25, 50, 75, 95]
    /// Measure surfaces.
    public var measuresSurface = true
    /// Measure diameters.
    public var measuresDiameters = true

    /// How many counters of 8 bytes percentiles may take; fewer need more passes.
    var counterLimit = 4 << 20

    /// Everything but parts.
    public init() {}

    /// More regions than this are an error: nobody reads so long a table.
    public static let regionLimit = 1 << 16

    /// Measures labels on their grid.
    ///
    /// - Parameters:
    ///   - store: The labels, slice by slice; each is read two to five times or, with thousands of parts, more often.
    ///   - grid: Where they lie.
    ///   - intensity: Fills a buffer (dims.x · dims.y values, i fastest) with a slice of an image on the same grid; in
    ///     each pass but the first it is asked for every slice in order.
    /// - Returns: Each label and, if asked, after it its parts.
    /// - Throws: `ImagingError` `.mismatch` when the dimensions differ, `.tooLarge` for too many parts; what the store
    ///   and `intensity` throw.
    public func measure(
        _ store: some SliceStore, grid: VoxelGrid,
        intensity: ((_ k: Int, _ slice: UnsafeMutableBufferPointer<Float>) throws -> Void)? = nil
    ) throws -> [RegionMeasures] {
        precondition(percentiles.allSatisfy { $0 >= 0 && $0 <= 100 }, "percentiles are 0 to 100")
        try store.checkSize()
        let dims = store.dims
        guard dims == grid.dims else {
            throw ImagingError(
                .mismatch, problem: "\(dims.x)×\(dims.y)×\(dims.z) labels for a grid of \(grid.summary)",
                remedy: "give the grid of the labels")
        }
        let slice = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: dims.x * dims.y)
        let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: intensity == nil ? 0 : slice.count)
        defer {
            slice.deallocate()
            values.deallocate()
        }
        var finder = try regions(store, slice)
        let found = finder.labels
        var whole = RegionSet(grid, found.count, self, hasImage: intensity != nil)
        var parts = RegionSet(grid, finder.parts.count, self, hasImage: intensity != nil)
        var isFirst = true
        var needsMore = true
        while needsMore {
            for k in 0..<dims.z {
                try store.read(slice: k, into: slice)
                try finder.next(UnsafeBufferPointer(slice))
                try intensity?(k, values)
                let image = UnsafeBufferPointer(values)
                whole.add(k, finder.runs, finder.labelIDs, image, isFirst: isFirst)
                if measuresComponents { parts.add(k, finder.runs, finder.partIDs, image, isFirst: isFirst) }
            }
            // Both, whatever the first says.
            let more = (whole.endPass(isFirst: isFirst), parts.endPass(isFirst: isFirst))
            needsMore = more.0 || more.1
            isFirst = false
        }
        let wholes = whole.result { (found[$0], nil) }
        var numbers = [Int](repeating: 0, count: found.count)
        let each = parts.result {
            let index = finder.index[Int(finder.parts[$0].label)]
            numbers[Int(index)] += 1
            return (finder.parts[$0].label, numbers[Int(index)])
        }
        var ofLabel = [[RegionMeasures]](repeating: [], count: found.count)
        for part in each { ofLabel[Int(finder.index[Int(part.label)])].append(part) }
        return zip(wholes, ofLabel).flatMap { [$0] + $1 }
    }

    /// Measures a whole volume; see `measure(_:grid:intensity:)`.
    public func measure(_ volume: Volume<UInt16>, image: Volume<Float>? = nil) throws -> [RegionMeasures] {
        guard let image else { return try measure(MemorySliceStore(volume), grid: volume.grid) }
        guard image.grid.isAligned(with: volume.grid) else {
            throw ImagingError(
                .mismatch, problem: "labels of \(volume.grid.summary) on an image of \(image.grid.summary)",
                remedy: "resample one onto the other")
        }
        let count = image.dims.x * image.dims.y
        return try measure(MemorySliceStore(volume), grid: volume.grid) { k, slice in
            _ = slice.update(from: image.voxels[k * count..<(k + 1) * count])
        }
    }

    /// The first pass: which labels there are, and their parts.
    private func regions(_ store: some SliceStore, _ slice: UnsafeMutableBufferPointer<UInt16>) throws -> RegionFinder {
        var finder = RegionFinder(store.dims, self)
        if labels.isEmpty || measuresComponents {
            for k in 0..<store.dims.z {
                try store.read(slice: k, into: slice)
                try finder.survey(UnsafeBufferPointer(slice))
            }
        }
        finder.finish(labels)
        guard finder.parts.count <= LabelMeasures.regionLimit else {
            throw ImagingError(
                .tooLarge,
                problem: "the labels fall into \(finder.parts.count) parts, more than \(LabelMeasures.regionLimit)",
                remedy: "drop small parts first, or measure whole labels")
        }
        return finder
    }
}

/// Cuts slices into runs and says of which label and which part each is.
private struct RegionFinder {
    var runs: LabelRuns { components?.current ?? own }
    private var own: LabelRuns
    /// For each run its label's place in `labels`, -1 if that is not measured.
    private(set) var labelIDs: [Int32] = []
    /// For each run its part's place in `parts`, -1 if that is not measured.
    private(set) var partIDs: [Int32] = []
    private(set) var labels: [UInt16] = []
    /// Each label's place in `labels`, or -1.
    private(set) var index = [Int32](repeating: -1, count: 1 << 16)
    private var components: StreamingComponents?
    private let width: Int

    var parts: [StreamingComponents.Part] { components?.parts ?? [] }

    init(_ dims: SIMD3<Int>, _ options: LabelMeasures) {
        width = dims.x
        own = LabelRuns(height: dims.y)
        if options.measuresComponents {
            components = StreamingComponents(
                dims: dims, connectivity: options.connectivity, labels: Set(options.labels))
        }
    }

    mutating func survey(_ slice: UnsafeBufferPointer<UInt16>) throws {
        if components == nil {
            own.scan(slice, width: width)
            for run in own.runs { index[Int(run.label)] = 0 }
        } else {
            try components!.add(slice)
        }
    }

    mutating func finish(_ asked: [UInt16]) {
        components?.finish()
        for part in parts { index[Int(part.label)] = 0 }
        labels = asked.isEmpty ? (1...UInt16.max).filter { index[Int($0)] == 0 } : asked
        index = [Int32](repeating: -1, count: 1 << 16)
        for (place, label) in labels.enumerated() where label != 0 { index[Int(label)] = Int32(place) }
    }

    mutating func next(_ slice: UnsafeBufferPointer<UInt16>) throws {
        if components == nil {
            own.scan(slice, width: width)
        } else {
            try components!.relabel(slice)
            partIDs = runs.runs.map { $0.number }
        }
        labelIDs = runs.runs.map { index[Int($0.label)] }
    }
}

/// Regions that are measured together.
private struct RegionSet {
    private let grid: VoxelGrid
    private let hasImage: Bool
    private var sums: [RegionSums]
    private var surface: SurfaceScanner?
    private var extents: ExtentCollector?
    private var quantiles: QuantileFinder

    init(_ grid: VoxelGrid, _ count: Int, _ options: LabelMeasures, hasImage: Bool) {
        self.grid = grid
        self.hasImage = hasImage
        sums = [RegionSums](repeating: RegionSums(), count: count)
        if options.measuresSurface, count > 0 {
            surface = SurfaceScanner(dims: grid.dims, affine: grid.affine, regions: count)
        }
        if options.measuresDiameters, count > 0 { extents = ExtentCollector(affine: grid.affine, regions: count) }
        quantiles = QuantileFinder(
            percents: hasImage ? options.percentiles : [], regions: count, counterLimit: options.counterLimit)
    }

    mutating func add(
        _ k: Int, _ runs: LabelRuns, _ ids: [Int32], _ image: UnsafeBufferPointer<Float>, isFirst: Bool
    ) {
        for j in 0..<grid.dims.y {
            for r in runs.rows[j]..<runs.rows[j + 1] where ids[r] >= 0 {
                let (run, id) = (runs.runs[r], Int(ids[r]))
                if isFirst { sums[id].add(run, j, k) }
                guard hasImage else { continue }
                let row = j * grid.dims.x
                let values = UnsafeBufferPointer(rebasing: image[row + Int(run.start)..<row + Int(run.end)])
                if isFirst { sums[id].add(values) }
                quantiles.add(values, region: id)
            }
        }
        guard isFirst else { return }
        surface?.add(runs, ids)
        extents?.add(k, runs, ids)
    }

    /// True when percentiles need another pass.
    mutating func endPass(isFirst: Bool) -> Bool {
        if isFirst { surface?.finish() }
        return quantiles.endPass(sums.map { $0.finite })
    }

    func result(_ name: (Int) -> (UInt16, Int?)) -> [RegionMeasures] {
        let percentiles = quantiles.result(sums.map { $0.finite })
        let lines = extents?.result()
        return sums.indices.map { region in
            let (label, component) = name(region)
            var measures = sums[region].measures(label: label, component: component, grid: grid)
            if hasImage {
                measures.intensity = sums[region].intensity(
                    percentiles: percentiles[region] ?? [])
            }
            guard measures.voxelCount > 0 else { return measures }
            if let area = surface?.areas[region] {
                let volume = measures.millilitres * 1000
                measures.surfaceSquareMillimetres = area
                measures.sphericity = cbrt(36 * Double.pi * volume * volume) / area
            }
            if let line = lines?[region] {
                measures.diameterMillimetres = line.longest
                measures.inPlane = line.inPlane
            }
            return measures
        }
    }
}
