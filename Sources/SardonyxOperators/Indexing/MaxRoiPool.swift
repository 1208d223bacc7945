import SardonyxGraph

/// y[r, c, i, j] = max of x[batch of r, c] over the pixels in cell (i, j) of region r; 0 for a cell without pixels.
///
/// Regions are [batch, x1, y1, x2, y2], times `spatial_scale` rounded to x's pixels, both ends included. A region is cut
/// into `pooled_shape` cells, which may share their outer pixels.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html>
enum MaxRoiPool: Operator {
    static let schema = Schema(
        "MaxRoiPool", versions: [1, 22],
        inputs: [Parameter("X", "T", .floats), Parameter("rois", "T", .floats)],
        outputs: [Parameter("Y", "T", .floats)],
        attributes: [AttributeSpec("spatial_scale", .float), AttributeSpec("pooled_shape", .ints, required: true)])

    static func infer(_ context: inout InferenceContext) throws {
        let (height, width) = try cells(context.node)
        try context.requireRank(0, 4...4, "X")
        try context.requireRank(1, 2...2, "rois")
        if let numbers = context.shape(1)?[1] {
            _ = try numbers.agreeing(with: .fixed(5), "a region must have 5 numbers")
        }
        let shape: SymbolicShape = [
            context.shape(1)?[0] ?? .unknown, context.shape(0)?[1] ?? .unknown, .fixed(height), .fixed(width),
        ]
        context.set(0, try context.dataType(0), shape)
        context.set(1, .int64, shape)
    }

    private static func cells(_ node: Node) throws -> (height: Int, width: Int) {
        let shape = node.ints("pooled_shape") ?? []
        guard shape.count == 2, shape.allSatisfy({ (1...1 << 24).contains($0) }) else {
            throw SardonyxError(.invalidModel, "pooled_shape is \(shape); it must be a positive height and width")
        }
        return (shape[0], shape[1])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        return try input.dataType.visitReal(
            Pooling(
                cells: cells(context.node), scale: context.node.float("spatial_scale", default: 1), shape: input.shape,
                regions: context.input(1).shape[0], places: context.outputSlot(1)))
    }

    /// One axis of a region, in pixels.
    private struct Span {
        let start: Int
        let length: Int

        /// - Returns: nil for what is no number, or far from every image.
        init?(_ from: Double, _ to: Double, scale: Double) {
            // Half-way cases go away from zero, as C's round does.
            let first = (from * scale).rounded(.toNearestOrAwayFromZero)
            let last = (to * scale).rounded(.toNearestOrAwayFromZero)
            guard first.magnitude < 1e9, last.magnitude < 1e9 else { return nil }
            start = Int(first)
            length = max(Int(last) - Int(first) + 1, 1)
        }

        /// The pixels of cell `index` of `count`, on an axis of `extent`.
        func pixels(_ index: Int, of count: Int, extent: Int) -> Swift.Range<Int> {
            let first = min(max(index * length / count + start, 0), extent)
            let last = min(max(((index + 1) * length + count - 1) / count + start, 0), extent)
            return first..<max(first, last)
        }
    }

    private struct Pooling: RealVisitor {
        let cells: (height: Int, width: Int)
        let scale: Float
        let shape: [Int]
        let regions: Int
        /// The output that a derivative asks for besides: where in x each maximum is, or -1.
        let places: Int?

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let (cells, scale, regions, places) = (cells, Double(scale), regions, places)
            let (batches, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
            let loop = ParallelLoop(chunks: regions * channels) { frame, chunk, _ in
                let box = frame.input(1, as: T.self) + chunk / channels * 5
                guard let columns = Span(box[1].double, box[3].double, scale: scale),
                    let rows = Span(box[2].double, box[4].double, scale: scale)
                else { return }
                let first = (Int(box[0].double) * channels + chunk % channels) * height * width
                let plane = frame.input(0, as: T.self) + first
                let place = frame.output(slot: places, as: Int64.self).map { $0 + chunk * cells.height * cells.width }
                let y = frame.output(0, as: T.self) + chunk * cells.height * cells.width
                for i in 0..<cells.height {
                    let inRow = rows.pixels(i, of: cells.height, extent: height)
                    for j in 0..<cells.width {
                        let inColumn = columns.pixels(j, of: cells.width, extent: width)
                        var largest: T?
                        var winner = -1
                        for row in inRow {
                            for column in inColumn {
                                let value = plane[row * width + column]
                                if let known = largest, !(value > known) { continue }
                                largest = value
                                winner = first + row * width + column
                            }
                        }
                        y[i * cells.width + j] = largest ?? T.zero
                        place?[i * cells.width + j] = Int64(winner)
                    }
                }
            }
            return Kernel { frame in
                let boxes = frame.input(1, as: T.self)
                for region in 0..<regions {
                    let box = boxes + region * 5
                    guard box[0].double >= 0, box[0].double < Double(batches) else {
                        throw SardonyxError(
                            .invalidValue, "a region is of batch \(box[0]); there are \(batches) batches")
                    }
                    guard Span(box[1].double, box[3].double, scale: scale) != nil,
                        Span(box[2].double, box[4].double, scale: scale) != nil
                    else {
                        throw SardonyxError(
                            .invalidValue,
                            "region \(region) is [\(box[1]), \(box[2]), \(box[3]), \(box[4])], which is no region")
                    }
                }
                loop.run(frame)
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        try d.set(0) {
            let places = try d.builder.add("MaxRoiPool", d.node.inputs, d.node.attributes, outputs: 2)[1]
            return try d.dy().scattered(to: d.term(places), like: d.x(), leavesGaps: true)
        }
    }

    static let examples = [
        Example(
            "a region in one cell, and all in two", attributes: ["pooled_shape": .ints([1, 2])],
            inputs: [
                Tensor(shape: [1, 1, 2, 4], scalars: [1, 2, 3, 4, 8, 7, 6, 5] as [Float]),
                Tensor(shape: [2, 5], scalars: [0, 0, 0, 0, 0, 0, 0, 0, 3, 1] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 1, 1, 2], scalars: [1, 1, 8, 6] as [Float])])
    ]
}
