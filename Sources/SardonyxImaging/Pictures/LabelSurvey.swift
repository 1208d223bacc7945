/// Which labels a label volume holds, how many voxels each, and where along the axes they lie.
struct LabelSurvey {
    /// Labels that occur, smallest first.
    private(set) var counts: [(value: Int, count: Int)] = []
    /// Labelled voxels in each slice across x, y and z in RAS order.
    private(set) var along: [[Int]]

    /// Reads all labels once.
    ///
    /// - Throws: `ImagingError` `.mismatch` for a label above 65535, or for colours.
    init(of source: PictureSource) throws {
        guard source.components == 1 else {
            throw ImagingError(
                .mismatch, problem: "the mask has \(source.components) values a voxel, but a label is one",
                remedy: "give a mask of one value a voxel")
        }
        var tally = LabelTally(source.grid.dims)
        if let runs = source.runs {
            try runs { k, runs in tally.add(runs, k) }
        } else {
            let rows = 0..<source.grid.dims.y
            try source.eachSlab({ _ in rows }, { slab, _ in try tally.add(slab) })
        }
        for (value, count) in tally.counts.enumerated() where count > 0 { counts.append((value, count)) }
        let stored = tally.along
        along = source.placed.route(to: .ras).map { $0.isReversed ? stored[$0.axis].reversed() : stored[$0.axis] }
    }

    /// The nearest whole number; 0 for what is negative or not a number.
    static func label(_ value: Float) throws -> Int {
        guard value >= 0.5 else { return 0 }
        guard value < 65535.5 else {
            throw ImagingError(
                .mismatch, problem: "the mask holds \(value), but labels are 0 to 65535",
                remedy: "give a mask or a label volume")
        }
        return Int(value + 0.5)
    }

    /// Makes values the labels nearest to them; neighbours are mostly alike.
    static func round(_ values: inout [Float]) throws {
        var (last, rounded) = (Float(0), Float(0))
        for index in values.indices {
            let value = values[index]
            if value != last { (last, rounded) = (value, Float(try label(value))) }
            values[index] = rounded
        }
    }

    /// Labelled voxels.
    var total: Int { along[0].reduce(0, +) }

    /// Slices across an axis of patient space, from the first with a label to the last; `nil` when there is none.
    func extent(_ axis: Int) -> Range<Int>? {
        guard let first = along[axis].firstIndex(where: { $0 > 0 }) else { return nil }
        return first..<(along[axis].lastIndex { $0 > 0 }! + 1)
    }

    /// The slice across an axis that shows the labels: through their centroid, or where they are largest when they are
    /// less than half as large there, as between two kidneys; `nil` when there is none.
    func focus(_ axis: Int) -> Int? {
        let counts = along[axis]
        guard let most = counts.max(), most > 0 else { return nil }
        let moment = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) }
        let centroid = Int((moment / Double(total)).rounded())
        return 2 * counts[centroid] >= most ? centroid : counts.firstIndex(of: most)!
    }
}
