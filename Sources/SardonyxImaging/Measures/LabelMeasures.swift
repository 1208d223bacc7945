#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Measures of every label of a volume, in a few passes over its slices.
///
/// Memory: 24 bytes a run of one slice, 2 a voxel where the store does not hold runs, 4 a voxel for the image, for
/// surfaces 24 a run (48 with parts); 0.3 kB a region; up to 32 MiB of counters for percentiles, twice that for a moment
/// where whole numbers end, and all of it twice with parts; with parts the tables of `StreamingComponents`. Only diameters
/// take more for more slices: 16 bytes for each corner of the convex hull of each region in each slice, some kilobytes a
/// slice.
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
    ///   - intensity: Fills a buffer with the values, i fastest, that an image on the same grid has in a box of one
    ///     slice, which holds the slice's labels; in each pass but the first it is asked for the slices that have any,
    ///     in order.
    /// - Returns: Each label and, if asked, after it its parts.
    /// - Throws: `ImagingError` `.mismatch` when the dimensions differ, `.tooLarge` for too many parts; what the store
    ///   and `intensity` throw.
    public func measure(
        _ store: some SliceStore, grid: VoxelGrid,
        intensity: ((_ box: VoxelBox, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void)? = nil
    ) throws -> [RegionMeasures] {
        precondition(percentiles.allSatisfy { $0 >= 0 && $0 <= 100 }, "percentiles are 0 to 100")
        try store.checkSize()
        let dims = store.dims
        guard dims == grid.dims else {
            throw ImagingError(
                .mismatch, problem: "\(dims.x)×\(dims.y)×\(dims.z) labels for a grid of \(grid.summary)",
                remedy: "give the grid of the labels")
        }
        let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: intensity == nil ? 0 : dims.x * dims.y)
        defer { values.deallocate() }
        var runs = LabelRuns(width: dims.x, height: dims.y)
        var finder = try regions(store, &runs)
        let found = finder.labels
        var whole = RegionSet(grid, found.count, self, hasImage: intensity != nil)
        var parts = RegionSet(grid, finder.parts.count, self, hasImage: intensity != nil)
        var isFirst = true
        var needsMore = true
        while needsMore {
            for k in 0..<dims.z {
                try store.read(slice: k, into: &runs)
                try finder.next(runs)
                var image: RegionSet.Image?
                if let intensity, let box = finder.box(runs, slice: k) {
                    let inside = UnsafeMutableBufferPointer(rebasing: values[..<box.count])
                    try intensity(box, inside)
                    image = (box, UnsafeBufferPointer(inside))
                }
                whole.add(k, runs, finder.labelIDs, image, isFirst: isFirst)
                if measuresComponents { parts.add(k, runs, finder.partIDs, image, isFirst: isFirst) }
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
        return try image.voxels.withUnsafeBufferPointer { voxels in
            try measure(MemorySliceStore(volume), grid: volume.grid) { box, values in
                for j in box.lower.y..<box.upper.y {
                    let first = box.lower.x + image.dims.x * (j + image.dims.y * box.lower.z)
                    let row = (j - box.lower.y) * box.size.x..<(j - box.lower.y + 1) * box.size.x
                    // SAFETY: the box lies in the image, whose grid is that of the labels.
                    (values.baseAddress! + row.lowerBound).update(from: voxels.baseAddress! + first, count: row.count)
                }
            }
        }
    }

    /// The first pass: which labels there are, and their parts.
    private func regions(_ store: some SliceStore, _ runs: inout LabelRuns) throws -> RegionFinder {
        var finder = RegionFinder(store.dims, self)
        if labels.isEmpty || measuresComponents {
            for k in 0..<store.dims.z {
                try store.read(slice: k, into: &runs)
                try finder.survey(runs)
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

/// Says of which label and which part each run is.
private struct RegionFinder {
    /// For each run its label's place in `labels`, -1 if that is not measured.
    private(set) var labelIDs: [Int32] = []
    /// For each run its part's place in `parts`, -1 if that is not measured.
    private(set) var partIDs: [Int32] = []
    private(set) var labels: [UInt16] = []
    /// Each label's place in `labels`, or -1.
    private(set) var index = [Int32](repeating: -1, count: 1 << 16)
    private var components: StreamingComponents?

    var parts: [StreamingComponents.Part] { components?.parts ?? [] }

    init(_ dims: SIMD3<Int>, _ options: LabelMeasures) {
        if options.measuresComponents {
            components = StreamingComponents(
                dims: dims, connectivity: options.connectivity, labels: Set(options.labels))
        }
    }

    mutating func survey(_ runs: LabelRuns) throws {
        if components == nil {
            for run in runs.runs { index[Int(run.label)] = 0 }
        } else {
            try components!.add(runs)
        }
    }

    mutating func finish(_ asked: [UInt16]) {
        components?.finish()
        for part in parts { index[Int(part.label)] = 0 }
        labels = asked.isEmpty ? (1...UInt16.max).filter { index[Int($0)] == 0 } : asked
        index = [Int32](repeating: -1, count: 1 << 16)
        for (place, label) in labels.enumerated() where label != 0 { index[Int(label)] = Int32(place) }
    }

    mutating func next(_ runs: LabelRuns) throws {
        labelIDs.removeAll(keepingCapacity: true)
        for run in runs.runs { labelIDs.append(index[Int(run.label)]) }
        if components == nil { return }
        try components!.relabel(runs)
        partIDs.removeAll(keepingCapacity: true)
        for run in components!.current.runs { partIDs.append(run.number) }
    }

    /// Around the measured runs of a slice; `nil` without any. Parts lie in measured labels.
    func box(_ runs: LabelRuns, slice k: Int) -> VoxelBox? {
        var (start, end) = (Int32.max, Int32(0))
        var rows: Range<Int>?
        for j in 0..<runs.height {
            let row = runs.rows[j]..<runs.rows[j + 1]
            if row.isEmpty { continue }
            var isMeasured = false
            for r in row where labelIDs[r] >= 0 {
                (start, end) = (min(start, runs.runs[r].start), max(end, runs.runs[r].end))
                isMeasured = true
            }
            if isMeasured { rows = (rows?.lowerBound ?? j)..<j + 1 }
        }
        return rows.map {
            VoxelBox(lower: SIMD3(Int(start), $0.lowerBound, k), upper: SIMD3(Int(end), $0.upperBound, k + 1))
        }
    }
}

/// Regions that are measured together.
private struct RegionSet {
    /// Values of a box of a slice.
    typealias Image = (box: VoxelBox, values: UnsafeBufferPointer<Float>)

    private let grid: VoxelGrid
    private let hasImage: Bool
    private var sums: [RegionSums]
    private var surface: SurfaceScanner?
    private var extents: ExtentCollector?
    private let percents: [Double]
    private var quantiles: QuantileFinder
    /// While all values are small whole numbers in the first pass, which then is the only one.
    private var counts: WholeCounts?
    /// Of each region, where the counts gave them.
    private var percentiles: [[Double]] = []

    init(_ grid: VoxelGrid, _ count: Int, _ options: LabelMeasures, hasImage: Bool) {
        self.grid = grid
        self.hasImage = hasImage
        sums = [RegionSums](repeating: RegionSums(), count: count)
        if options.measuresSurface, count > 0 {
            surface = SurfaceScanner(dims: grid.dims, affine: grid.affine, regions: count)
        }
        if options.measuresDiameters, count > 0 { extents = ExtentCollector(affine: grid.affine, regions: count) }
        percents = hasImage ? options.percentiles : []
        quantiles = QuantileFinder(percents: percents, regions: count, counterLimit: options.counterLimit)
        if hasImage {
            counts = WholeCounts(
                regions: count, voxels: grid.count, byteLimit: options.counterLimit * MemoryLayout<Int>.stride)
        }
    }

    mutating func add(_ k: Int, _ runs: LabelRuns, _ ids: [Int32], _ image: Image?, isFirst: Bool) {
        if isFirst {
            for j in 0..<runs.height {
                for r in runs.rows[j]..<runs.rows[j + 1] where ids[r] >= 0 { sums[Int(ids[r])].add(runs.runs[r], j, k) }
            }
            surface?.add(runs, ids)
            extents?.add(k, runs, ids)
        }
        guard let image, percentiles.isEmpty else { return }
        for j in image.box.lower.y..<image.box.upper.y {
            let row = (j - image.box.lower.y) * image.box.size.x - image.box.lower.x
            for r in runs.rows[j]..<runs.rows[j + 1] where ids[r] >= 0 {
                let run = runs.runs[r]
                let values = image.values[row + Int(run.start)..<row + Int(run.end)]
                add(UnsafeBufferPointer(rebasing: values), Int(ids[r]), isFirst)
            }
        }
    }

    private mutating func add(_ values: UnsafeBufferPointer<Float>, _ region: Int, _ isFirst: Bool) {
        var rest = values
        if counts != nil {
            let done = counts!.add(values, region: region)
            if done == values.count { return }
            rest = UnsafeBufferPointer(rebasing: values[done...])
            for region in sums.indices {
                let counted = counts!.values(region)
                sums[region].add(counted: counted)
                quantiles.add(counted: counted, region: region)
            }
            counts = nil
        }
        if isFirst { sums[region].add(rest) }
        quantiles.add(rest, region: region)
    }

    /// True when percentiles need another pass.
    mutating func endPass(isFirst: Bool) -> Bool {
        if isFirst { surface?.finish() }
        if let counts {
            for region in sums.indices {
                let counted = counts.values(region)
                sums[region].add(counted: counted)
                percentiles.append(counted.isEmpty ? [] : QuantileFinder.percentiles(percents, counted: counted))
            }
            self.counts = nil
            return false
        }
        return percentiles.isEmpty && quantiles.endPass(sums.map { $0.finite })
    }

    func result(_ name: (Int) -> (UInt16, Int?)) -> [RegionMeasures] {
        let percentiles =
            percentiles.isEmpty ? quantiles.result(sums.map { $0.finite }) : percentiles.map { Optional($0) }
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
