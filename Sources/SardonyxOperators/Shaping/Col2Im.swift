import SardonyxGraph

/// y[n, c, o + …] = Σ x[n, c·|block| + k, l]: the sum of all blocks l, at their places, where k counts a block's elements.
///
/// Element k of block l lies at l·stride − pad + k·dilation along each axis; what lies outside the image is left out.
///
/// <https://onnx.ai/onnx/operators/onnx__Col2Im.html>
enum Col2Im: Operator {
    static let schema = Schema(
        "Col2Im", versions: [18],
        inputs: [
            Parameter("input", "T", .movable), Parameter("image_shape", "tensor(int64)", [.int64]),
            Parameter("block_shape", "tensor(int64)", [.int64]),
        ],
        outputs: [Parameter("output", "T", .movable)],
        attributes: [AttributeSpec("strides", .ints), AttributeSpec("pads", .ints), AttributeSpec("dilations", .ints)])

    /// How the blocks lie in the image.
    private struct Blocks {
        let image: [Int]
        let block: [Int]
        let strides: [Int]
        let dilations: [Int]
        /// Before the first element of each axis.
        let pads: [Int]
        /// The number of blocks along each axis.
        let counts: [Int]

        init(_ node: Node, image: [Int], block: [Int]) throws(SardonyxError) {
            let rank = image.count
            strides = node.ints("strides") ?? [Int](repeating: 1, count: rank)
            dilations = node.ints("dilations") ?? [Int](repeating: 1, count: rank)
            let pads = node.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
            guard rank > 0, block.count == rank, strides.count == rank, dilations.count == rank, pads.count == 2 * rank
            else {
                throw SardonyxError(
                    .invalidModel,
                    "image_shape \(image), block_shape \(block), strides \(strides), dilations \(dilations) and pads "
                        + "\(pads) must be for the same number of axes")
            }
            let limit = 1 << 30
            guard (image + pads).allSatisfy({ (0...limit).contains($0) }),
                (block + strides + dilations).allSatisfy({ (1...limit).contains($0) })
            else {
                throw SardonyxError(
                    .invalidModel,
                    "image_shape \(image), block_shape \(block), strides \(strides), dilations \(dilations) and pads "
                        + "\(pads) must be positive")
            }
            self.image = image
            self.block = block
            self.pads = Array(pads[..<rank])
            var counts: [Int] = []
            for axis in 0..<rank {
                let room = image[axis] + pads[axis] + pads[axis + rank] - dilations[axis] * (block[axis] - 1) - 1
                counts.append(room < 0 ? 0 : room / strides[axis] + 1)
            }
            self.counts = counts
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        if type == .string { throw type.unsupported }
        try context.requireRank(0, 3...3, "input")
        let shape = context.shape(0)
        guard let image = context.elements(1), let block = context.knownIntegers(2) else {
            let rank = context.shape(1)?.first?.value
            return context.set(0, type, context.unknownShape(rank.map { min($0, 62) + 2 }))
        }
        guard let size = block.checkedElementCount, size > 0 else {
            throw SardonyxError(.invalidModel, "block_shape is \(block); its extents must be positive")
        }
        if let channels = shape?[1].value, channels % size != 0 {
            throw SardonyxError(
                .invalidModel, "\(channels) channels are not a multiple of the block's \(size) elements")
        }
        if let image = image.fixed {
            let blocks = try Blocks(context.node, image: image, block: block)
            if let columns = shape?[2].value, blocks.counts.checkedElementCount != columns {
                throw SardonyxError(
                    .invalidModel, "the input has \(columns) blocks; the image has room for \(blocks.counts)")
            }
        }
        context.set(0, type, [shape?[0] ?? .unknown, (shape?[1] ?? .unknown) / .fixed(size)] + image)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let blocks = try Blocks(
            context.node, image: context.integers(1) ?? [], block: context.integers(2) ?? [])
        let planes = input.shape[0] * input.shape[1] / blocks.block.elementCount
        var kernel =
            switch input.dataType {
            // A complex number is summed as two real ones; any true makes a bool true.
            case .complex64: Kernel(run: sum(blocks, planes, lanes: 2, Float.zero, +))
            case .complex128: Kernel(run: sum(blocks, planes, lanes: 2, Double.zero, +))
            case .bool: Kernel(run: sum(blocks, planes, lanes: 1, UInt8.zero, |))
            default: try input.dataType.visitNumber(Summation(blocks: blocks, planes: planes))
            }
        kernel.absorbedInputs = [1, 2]
        return kernel
    }

    private struct Summation: NumberVisitor {
        let blocks: Blocks
        let planes: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            Kernel(run: sum(blocks, planes, lanes: 1, T.zero, T.adding))
        }
    }

    /// - Parameter lanes: values that make one element.
    private static func sum<T: BitwiseCopyable & Sendable>(
        _ blocks: Blocks, _ planes: Int, lanes: Int, _ zero: T, _ add: @escaping @Sendable (T, T) -> T
    ) -> @Sendable (Frame) throws -> Void {
        let rank = blocks.image.count
        let imageStrides = blocks.image.rowMajorStrides
        let pixels = blocks.image.elementCount
        let columns = blocks.counts.elementCount
        let size = blocks.block.elementCount
        // The last axis runs in the inner loop; the outer ones are counted together.
        let rows = blocks.counts.dropLast().reduce(1, *)
        let run = blocks.counts[rank - 1]
        return { frame in
            let x = frame.input(0, as: T.self)
            let y = frame.output(0, as: T.self)
            for i in 0..<planes * pixels * lanes { y[i] = zero }
            for plane in 0..<planes {
                for element in 0..<size {
                    for row in 0..<rows {
                        var inside = true
                        var base = plane * pixels
                        var left = element
                        var outer = row
                        let tap = left % blocks.block[rank - 1] * blocks.dilations[rank - 1] - blocks.pads[rank - 1]
                        left /= blocks.block[rank - 1]
                        for axis in stride(from: rank - 2, through: 0, by: -1) {
                            let place =
                                outer % blocks.counts[axis] * blocks.strides[axis]
                                + left % blocks.block[axis] * blocks.dilations[axis] - blocks.pads[axis]
                            outer /= blocks.counts[axis]
                            left /= blocks.block[axis]
                            if place < 0 || place >= blocks.image[axis] {
                                inside = false
                                break
                            }
                            base += place * imageStrides[axis]
                        }
                        if !inside { continue }
                        let source = ((plane * size + element) * columns + row * run) * lanes
                        for block in 0..<run {
                            let place = tap + block * blocks.strides[rank - 1]
                            if place < 0 || place >= blocks.image[rank - 1] { continue }
                            for lane in 0..<lanes {
                                let at = (base + place) * lanes + lane
                                y[at] = add(y[at], x[source + block * lanes + lane])
                            }
                        }
                    }
                }
            }
        }
    }

    /// Each element of a block takes the gradient from its place.
    static let derivative: Derivative? = Derivative { d in
        let (x, y) = (try d.x(), try d.y())
        let rank = try y.space().count
        guard rank > 0 else { throw SardonyxError(.invalidModel, "image_shape has no axes") }
        try d.set(0) {
            let image = try y.extents(2..<2 + rank)
            let one = x.integers([1])
            let attributes = try WindowAttributes(d.node, kernel: [Int](repeating: 1, count: rank))
            let window = WindowTerms(attributes: attributes, kernel: try d.x(2))
            let margin = x.integers(zip(attributes.padBegin, attributes.padEnd).map { $0 + $1 })
            let steps = x.integers(attributes.strides)
            let room = try image + margin - (window.kernel - one) * x.integers(attributes.dilations) - one
            let counts = try (room + steps).apply("Max", one - one) / steps
            var sum: (place: Term, isInside: Term)?
            for axis in 0..<rank {
                let position = try window.positions(axis, windows: counts)
                let extent = try image.apply("Gather", x.integers([axis]))
                let isInside = try position.isLess(than: 0).apply("Not").apply("And", position.isLess(than: extent))
                let stride = try y.extents(3 + axis..<2 + rank).apply("ReduceProd")
                let place = try position.kept(where: isInside) * stride
                sum =
                    try sum.map { (try $0.place + place, try $0.isInside.apply("And", isInside)) } ?? (place, isInside)
            }
            guard let sum else { return try x.zeros() }
            let flat = x.integers([-1])
            let planes = try d.dy().reshaped(to: y.extents(0..<2).joined([image.apply("ReduceProd")]))
            return try planes.apply("Gather", sum.place.reshaped(to: flat), with: ["axis": .int(2)])
                .kept(where: sum.isInside.reshaped(to: flat)).reshaped(like: x)
        }
    }

    static let examples = [
        Example(
            "overlapping pairs are summed",
            inputs: [
                Tensor(shape: [1, 2, 2], scalars: [1, 2, 10, 20] as [Float]), Tensor(integers: [3]),
                Tensor(integers: [2]),
            ],
            outputs: [Tensor(shape: [1, 1, 3], scalars: [1, 12, 20] as [Float])])
    ]
}
