import SardonyxGraph

/// y[r, c, i, j] = the mean (or largest part) of x[batch_indices[r], c] at a grid of points in cell (i, j) of region r,
/// interpolated linearly.
///
/// Regions are [x1, y1, x2, y2], times `spatial_scale` in x's pixels. Mode `max` takes the largest of the four weighted
/// neighbours of every point, as the reference does. A point more than one pixel outside counts as zero.
///
/// <https://onnx.ai/onnx/operators/onnx__RoiAlign.html>
enum RoiAlign: Operator {
    static let schema = Schema(
        "RoiAlign", versions: [10, 16, 22],
        inputs: [
            Parameter("X", "T1", .floats), Parameter("rois", "T1", .floats), Parameter("batch_indices", "T2", [.int64]),
        ],
        outputs: [Parameter("Y", "T1", .floats)],
        attributes: [
            AttributeSpec("coordinate_transformation_mode", .string), AttributeSpec("mode", .string),
            AttributeSpec("output_height", .int), AttributeSpec("sampling_ratio", .int),
            AttributeSpec("output_width", .int), AttributeSpec("spatial_scale", .float),
        ])

    /// Through opset 15 coordinates are not shifted by half a pixel.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 16 { node.attributes["coordinate_transformation_mode"] = .string("output_half_pixel") }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let settings = try Settings(context.node)
        try context.requireRank(0, 4...4, "X")
        try context.requireRank(1, 2...2, "rois")
        try context.requireRank(2, 1...1, "batch_indices")
        var count = context.shape(1)?[0] ?? .unknown
        if let indices = context.shape(2) {
            count = try count.agreeing(with: indices[0], "rois and batch_indices must be for the same regions")
        }
        if let width = context.shape(1)?[1] { _ = try width.agreeing(with: .fixed(4), "a region must have 4 numbers") }
        context.set(
            0, try context.dataType(0),
            [count, context.shape(0)?[1] ?? .unknown, .fixed(settings.height), .fixed(settings.width)])
    }

    private struct Settings {
        let height: Int
        let width: Int
        let samples: Int
        let scale: Float
        let isShifted: Bool
        let isMaximum: Bool

        init(_ node: Node) throws {
            height = node.int("output_height", default: 1)
            width = node.int("output_width", default: 1)
            samples = node.int("sampling_ratio", default: 0)
            scale = node.float("spatial_scale", default: 1)
            let limit = 1...1 << 24
            guard limit.contains(height), limit.contains(width), samples <= 1 << 12 else {
                throw SardonyxError(
                    .invalidModel,
                    "output_height \(height) and output_width \(width) must be positive, sampling_ratio \(samples) not large"
                )
            }
            let transformation = node.string("coordinate_transformation_mode", default: "half_pixel").lowercased()
            guard transformation == "half_pixel" || transformation == "output_half_pixel" else {
                throw SardonyxError(
                    .invalidModel,
                    "coordinate_transformation_mode is '\(transformation)'; it must be half_pixel or output_half_pixel")
            }
            isShifted = transformation == "half_pixel"
            let mode = node.string("mode", default: "avg").lowercased()
            guard mode == "avg" || mode == "max" else {
                throw SardonyxError(.invalidModel, "mode is '\(mode)'; it must be avg or max")
            }
            isMaximum = mode == "max"
        }
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        return try input.dataType.visitReal(
            Alignment(
                settings: Settings(context.node), shape: input.shape, regions: context.output(0).shape[0]))
    }

    /// One axis of a region: where its cells begin, and how many points each has.
    private struct Span<Wide: BinaryFloatingPoint & Sendable> {
        let start: Wide
        let cell: Wide
        let points: Int

        init(_ from: Wide, _ to: Wide, cells: Int, _ settings: Settings) {
            let scale = Wide(settings.scale)
            let offset: Wide = settings.isShifted ? 0.5 : 0
            start = from * scale - offset
            var length = to * scale - offset - start
            // A region without an extent covers a pixel, where coordinates are not shifted.
            if !settings.isShifted { length = max(length, 1) }
            cell = length / Wide(cells)
            let wanted = settings.samples > 0 ? Wide(settings.samples) : cell.rounded(.up)
            points = wanted >= 1 && wanted <= 65536 ? Int(wanted) : 0
        }

        /// Whether the region is a number, and of a size that can be sampled.
        func isUsable(_ settings: Settings) -> Bool {
            start.isFinite && cell.isFinite && (points > 0 || cell <= 0)
        }

        func coordinate(_ index: Int, _ point: Int) -> Wide {
            start + Wide(index) * cell + (Wide(point) + 0.5) * cell / Wide(points)
        }

        /// The two neighbours on an axis of `extent` and the weight of the upper; nil where the point is outside.
        static func neighbours(_ coordinate: Wide, _ extent: Int) -> (low: Int, high: Int, weight: Wide)? {
            if coordinate < -1 || coordinate > Wide(extent) { return nil }
            let place = max(coordinate, 0)
            let low = Int(place)
            if low >= extent - 1 { return (extent - 1, extent - 1, 0) }
            return (low, low + 1, place - Wide(low))
        }
    }

    private struct Alignment: RealVisitor {
        let settings: Settings
        let shape: [Int]
        let regions: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel where T.Wide: Sendable {
            let settings = settings
            let (batches, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
            let regions = regions
            let cells = settings.height * settings.width
            let loop = ParallelLoop(chunks: regions * channels) { frame, chunk, _ in
                let region = chunk / channels
                let box = frame.input(1, as: T.self) + region * 4
                let batch = Int(frame.input(2, as: Int64.self)[region])
                let plane = frame.input(0, as: T.self) + (batch * channels + chunk % channels) * height * width
                let y = frame.output(0, as: T.self) + chunk * cells
                let rows = Span(box[1].wide, box[3].wide, cells: settings.height, settings)
                let columns = Span(box[0].wide, box[2].wide, cells: settings.width, settings)
                for cell in 0..<cells {
                    var sum: T.Wide = 0
                    var largest: T.Wide?
                    for i in 0..<rows.points {
                        let row = Span.neighbours(rows.coordinate(cell / settings.width, i), height)
                        for j in 0..<columns.points {
                            let column = Span.neighbours(columns.coordinate(cell % settings.width, j), width)
                            guard let row, let column, height > 0, width > 0 else {
                                largest = max(largest ?? 0, 0)
                                continue
                            }
                            let (ly, lx) = (row.weight, column.weight)
                            let a = (1 - ly) * (1 - lx) * plane[row.low * width + column.low].wide
                            let b = (1 - ly) * lx * plane[row.low * width + column.high].wide
                            let c = ly * (1 - lx) * plane[row.high * width + column.low].wide
                            let d = ly * lx * plane[row.high * width + column.high].wide
                            if settings.isMaximum {
                                let value = max(max(a, b), max(c, d))
                                largest = max(largest ?? value, value)
                            } else {
                                sum += a + b + c + d
                            }
                        }
                    }
                    let value = settings.isMaximum ? largest ?? 0 : sum / T.Wide(max(rows.points * columns.points, 1))
                    y[cell] = T(wide: value)
                }
            }
            return Kernel { frame in
                let boxes = frame.input(1, as: T.self)
                let indices = frame.input(2, as: Int64.self)
                for region in 0..<regions {
                    guard UInt64(bitPattern: indices[region]) < UInt64(batches) else {
                        throw SardonyxError(
                            .invalidValue, "batch_indices holds \(indices[region]); there are \(batches) batches")
                    }
                    let box = boxes + region * 4
                    let rows = Span(box[1].wide, box[3].wide, cells: settings.height, settings)
                    let columns = Span(box[0].wide, box[2].wide, cells: settings.width, settings)
                    guard rows.isUsable(settings), columns.isUsable(settings) else {
                        throw SardonyxError(
                            .invalidValue,
                            "region \(region) is [\(box[0]), \(box[1]), \(box[2]), \(box[3])], which is no region")
                    }
                }
                loop.run(frame)
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let settings = try Settings(d.node)
        let (x, given) = (try d.x(0), try d.x(1))
        let regions = try given.dataType().isHalfWidth ? given.apply("Cast", with: ["to": .int(1)]) : given
        let rows = try AxisPoints(regions, 1, of: x.extents(2..<3), cells: settings.height, settings)
        let columns = try AxisPoints(regions, 0, of: x.extents(3..<4), cells: settings.width, settings)
        // Rows of all channels at a place: [regions, height, points, width, points, channels].
        let channelsLast = try x.transposed([0, 2, 3, 1])
        let pixels = try channelsLast.reshaped(to: x.integers([-1]).joined([x.extents(1..<2)]))
        let size = try x.extents(2..<3) * x.extents(3..<4)
        let start = try (d.x(2) * size).unsqueezed([1, 2, 3, 4])
        func grid(_ row: Term, _ column: Term) throws -> (row: Term, column: Term) {
            (try row.unsqueezed([3, 4]), try column.unsqueezed([1, 2]))
        }
        var corners: [Term] = []
        for (row, rowWeight) in rows.neighbours {
            for (column, columnWeight) in columns.neighbours {
                let place = try grid(row, column)
                let weight = try grid(rowWeight, columnWeight)
                let index = try start + place.row * x.extents(3..<4) + place.column
                let factor = try (weight.row * weight.column).unsqueezed([5]).converted(to: x)
                corners.append(try pixels.apply("Gather", index) * factor)
            }
        }
        let counts = try grid(rows.counts, columns.counts)
        let isCounted = try counts.row.apply("And", counts.column).unsqueezed([5])
        if settings.isMaximum {
            let inside = try grid(rows.isInside, columns.isInside)
            let isInside = try inside.row.apply("And", inside.column).unsqueezed([5])
            let largest = try corners[0].apply("Max", corners[1], corners[2], corners[3]).kept(where: isInside)
            let lowest = try x.number(-Double.infinity)
            // A cell without points is 0, and its way back ends here.
            let cell = try isCounted.choose(largest, else: lowest).reduced("ReduceMax", [2, 4])
            let isEmpty = try cell.isEqual(to: lowest)
            return [try isEmpty.choose(x.number(0), else: cell).squeezed([2, 4]).transposed([0, 3, 1, 2])]
        }
        let all = try corners.dropFirst().reduce(corners[0]) { try $0 + $1 }.kept(where: isCounted)
        let shares = try grid(rows.shares, columns.shares)
        let mean = try (all * (shares.row * shares.column).unsqueezed([5]).converted(to: x)).sum([2, 4])
        return [try mean.squeezed([2, 4]).transposed([0, 3, 1, 2])]
    }

    /// For derivatives, one axis of all regions: its points, their neighbours and weights. The axes are [regions, cells, points].
    private struct AxisPoints {
        /// Elements beside each point and their weights, which are 0 where the point is outside.
        let neighbours: [(place: Term, weight: Term)]
        let isInside: Term
        /// Whether the cell has the point: regions have different numbers of them.
        let counts: Term
        /// One over the cell's number of points.
        let shares: Term

        init(_ regions: Term, _ column: Int, of extent: Term, cells: Int, _ settings: Settings) throws {
            func edge(_ column: Int) throws -> Term {
                try regions.apply("Gather", regions.integers([column]), with: ["axis": .int(1)]).unsqueezed([2])
                    * Double(settings.scale) - (settings.isShifted ? 0.5 : 0)
            }
            let start = try edge(column)
            var length = try edge(column + 2) - start
            if !settings.isShifted { length = try length.apply("Max", length.number(1)) }
            let cell = try length / Double(cells)
            let one = regions.integers([1])
            let points: Term
            if settings.samples > 0 {
                points = try one.reshaped(to: regions.integers([1, 1, 1])) * regions.integers([settings.samples])
            } else {
                let wanted = try cell.apply("Ceil")
                let isUsual = try wanted.isLess(than: 1).apply("Or", wanted.isGreater(than: 65536)).apply("Not")
                points = try wanted.kept(where: isUsual).converted(to: one)
            }
            // There is at least one, so that maxima are of something.
            let most = try points.apply("ReduceMax", with: ["keepdims": .int(0)]).apply("Max", regions.scalar(1))
            let numbers = try most.indices()
            counts = try numbers.isLess(than: points)
            let share = try 1 / points.apply("Max", one).converted(to: regions)
            shares = share
            let index = try regions.integers([cells]).indices().unsqueezed([1]).converted(to: regions)
            let between = try (numbers.converted(to: regions) + 0.5) * share
            let coordinate = try start + (index + between) * cell

            let size = try extent.converted(to: regions)
            let last = try size - 1
            isInside = try coordinate.isLess(than: -1).apply("Or", coordinate.isGreater(than: size)).apply("Not")
            let place = try coordinate.apply("Max", coordinate.number(0))
            let low = try place.apply("Floor").apply("Min", last)
            let upper = try (place - low).kept(where: low.isLess(than: last))
            let high = try (low + 1).apply("Min", last)
            let inside = try isInside.converted(to: regions)
            neighbours = try [(low, (1 - upper) * inside), (high, upper * inside)].map {
                (try $0.converted(to: one), $1)
            }
        }
    }

    static let examples = [
        Example(
            "the mean of each quarter",
            attributes: [
                "output_height": .int(2), "output_width": .int(2), "sampling_ratio": .int(1),
                "coordinate_transformation_mode": .string("output_half_pixel"),
            ],
            inputs: [
                Tensor(shape: [1, 1, 3, 3], scalars: [0, 1, 2, 3, 4, 5, 6, 7, 8] as [Float]),
                Tensor(shape: [1, 4], scalars: [0, 0, 2, 2] as [Float]), Tensor(integers: [0]),
            ],
            outputs: [Tensor(shape: [1, 1, 2, 2], scalars: [2, 3, 5, 6] as [Float])], tolerance: 1e-6)
    ]
}
