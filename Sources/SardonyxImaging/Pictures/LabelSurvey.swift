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
        let dims = source.grid.dims
        var (columns, counts) = ([Int](repeating: 0, count: dims.x), [Int](repeating: 0, count: 65536))
        var (rows, slices) = ([Int](repeating: 0, count: dims.y), [Int](repeating: 0, count: dims.z))
        try source.eachSlab { slab, _, box in
            // SAFETY: the slab's rows follow one another, dims.x values each, all of which `box` holds.
            var row = UnsafePointer(box.baseAddress!)
            for k in slab {
                for j in 0..<dims.y {
                    let inRow = try LabelSurvey.count(row, dims.x, &columns, &counts)
                    rows[j] += inRow
                    slices[k] += inRow
                    row += dims.x
                }
            }
        }
        let stored = [columns, rows, slices]
        for (value, count) in counts.enumerated() where count > 0 { self.counts.append((value, count)) }
        along = source.placed.route(to: .ras).map { $0.isReversed ? stored[$0.axis].reversed() : stored[$0.axis] }
    }

    /// Counts the labelled voxels of a row, in each column and of each label; eight at a time where they are
    /// alike. SAFETY: the row holds `width` values.
    private static func count(
        _ row: UnsafePointer<Float>, _ width: Int, _ columns: inout [Int], _ counts: inout [Int]
    ) throws -> Int {
        var (inRow, i) = (0, 0)
        while i < width {
            if i + 8 <= width {
                let values = UnsafeRawPointer(row + i).loadUnaligned(as: SIMD8<Float>.self)
                let label = values == SIMD8(repeating: values[0]) ? try label(values[0]) : any(values .>= 0.5) ? -1 : 0
                if label >= 0 {
                    if label > 0 {
                        counts[label] += 8
                        inRow += 8
                        for n in i..<i + 8 { columns[n] += 1 }
                    }
                    i += 8
                    continue
                }
            }
            for n in i..<min(i + 8, width) {
                let label = try label(row[n])
                guard label > 0 else { continue }
                counts[label] += 1
                columns[n] += 1
                inRow += 1
            }
            i += 8
        }
        return inRow
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
