import SardonyxGraph

/// y[n, c, o…] = x[n, c, …] at the position grid[n, o…, :], whose last axis counts x's axes from the innermost and whose -1 and 1
/// are the ends of x; nearest, linear or cubic between elements.
///
/// <https://onnx.ai/onnx/operators/onnx__GridSample.html>
enum GridSample: Operator {
    static let schema = Schema(
        "GridSample", versions: [16, 20, 22],
        inputs: [Parameter("X", "T1", .movable), Parameter("grid", "T2", .floats)],
        outputs: [Parameter("Y", "T1", .movable)],
        attributes: [
            AttributeSpec("align_corners", .int), AttributeSpec("mode", .string),
            AttributeSpec("padding_mode", .string),
        ])

    static let execution = Execution.movesElements

    /// Through opset 19 the modes are called bilinear and bicubic.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 20, let mode = node.string("mode") else { return }
        if mode == "bilinear" { node.attributes["mode"] = .string("linear") }
        if mode == "bicubic" { node.attributes["mode"] = .string("cubic") }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let settings = try GridSettings(context.node)
        if type == .string, settings.mode != .nearest || settings.padding == .zeros {
            throw SardonyxError(
                .unsupported, "strings can be sampled in the mode nearest without zeros around them only")
        }
        if settings.mode != .nearest, type == .complex64 || type == .complex128 || type == .bool {
            throw SardonyxError(.unsupported, "elements of type \(type.name) can be sampled in the mode nearest only")
        }
        guard let x = context.shape(0), let grid = context.shape(1) else {
            return context.set(
                0, type,
                (context.shape(0) ?? context.shape(1)).map {
                    SymbolicShape(repeating: .unknown, count: $0.count)
                })
        }
        guard x.count >= 3, grid.count == x.count, grid[grid.count - 1].value ?? x.count - 2 == x.count - 2,
            x[0].value == nil || grid[0].value == nil || x[0] == grid[0]
        else {
            throw SardonyxError(
                .invalidModel,
                "X is \(x.text) and grid \(grid.text); they must be [N, C, D1 … Dr] and [N, O1 … Or, r]")
        }
        context.set(0, type, [x[0].value == nil ? grid[0] : x[0], x[1]] + grid[1..<grid.count - 1])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let (x, grid) = (try context.input(0), try context.input(1))
        let geometry = GridGeometry(settings: try GridSettings(context.node), x: x.shape, grid: grid.shape)
        if x.shape.elementCount == 0, try context.output(0).elementCount > 0 {
            throw SardonyxError(.invalidModel, "X has no elements to be sampled: \(x.text)")
        }
        struct GridVisitor: RealVisitor {
            let geometry: GridGeometry
            let x: DataType
            func visit<G: Real>(_ type: G.Type) throws -> Kernel {
                if geometry.settings.mode == .nearest {
                    return try x.visitElement(NearestVisitor<G>(geometry: geometry))
                }
                return try x.visitNumber(MixVisitor<G>(geometry: geometry))
            }
        }
        return try grid.dataType.visitReal(GridVisitor(geometry: geometry, x: x.dataType))
    }

    private struct NearestVisitor<G: Real>: ElementVisitor {
        let geometry: GridGeometry

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let geometry = geometry
            return .parallel(count: geometry.batch * geometry.outputs, grain: 256) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = UnsafeMutableRawPointer(frame.output(0, as: T.self))
                geometry.forEachPoint(range, frame.input(1, as: G.self)) { image, output, taps in
                    for channel in 0..<geometry.channels {
                        let plane = image * geometry.channels + channel
                        let target = y + (plane * geometry.outputs + output) * MemoryLayout<T>.stride
                        if let tap = taps.first {
                            target.storeBytes(of: x[plane * geometry.inputs + tap.position], as: T.self)
                        } else {
                            target.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<T>.stride)
                        }
                    }
                }
            }
        }
    }

    private struct MixVisitor<G: Real>: NumberVisitor {
        let geometry: GridGeometry

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let geometry = geometry
            return .parallel(count: geometry.batch * geometry.outputs, grain: 256) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                geometry.forEachPoint(range, frame.input(1, as: G.self)) { image, output, taps in
                    for channel in 0..<geometry.channels {
                        let plane = image * geometry.channels + channel
                        let source = x + plane * geometry.inputs
                        var sum = 0.0
                        for tap in taps { sum += tap.weight * source[tap.position].double }
                        y[plane * geometry.outputs + output] = T.converting(sum)
                    }
                }
            }
        }
    }

    static let derivative: Derivative? = .definition { d in
        let settings = try GridSettings(d.node)
        let (x, grid) = (try d.x(0), try d.x(1))
        let axes = try x.space()
        let points = try grid.extents(0..<1).joined([x.integers([1, -1])])
        // Each point's elements, as places in a channel and weights: [batch, 1, points].
        var taps: [(place: Term, weight: Term)] = []
        for (index, axis) in axes.enumerated() {
            // The grid counts axes from the innermost.
            let number = Term(id: d.builder.addConstant(Tensor(Int64(axes.count - 1 - index))), builder: d.builder)
            let coordinate = try grid.apply("Gather", number, with: ["axis": .int(-1)]).reshaped(to: points)
            let stride = try x.extents(axis + 1..<axes.count + 2).apply("ReduceProd")
            let own = try settings.taps(coordinate, extent: x.extents(axis..<axis + 1)).map { (try $0 * stride, $1) }
            taps =
                index == 0
                ? own : try taps.flatMap { tap in try own.map { (try tap.place + $0, try tap.weight * $1) } }
        }
        let planes = try x.reshaped(to: x.extents(0..<2).joined([x.integers([-1])]))
        let everyChannel = try x.extents(1..<2).joined([x.integers([1])])
        let parts = try taps.map { place, weight in
            let elements = try planes.apply(
                "GatherElements", place.apply("Expand", everyChannel), with: ["axis": .int(2)])
            return try elements * weight.converted(to: x)
        }
        return [try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }.reshaped(like: d.y())]
    }

    static let examples = [
        Example(
            "between two elements, and outside",
            inputs: [
                Tensor(shape: [1, 1, 1, 2], scalars: [1, 3] as [Float]),
                Tensor(shape: [1, 1, 2, 2], scalars: [0, 0, -3, 0] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 1, 2], scalars: [2, 0] as [Float])], tolerance: 1e-6),
        Example(
            "nearest with the border around, bytes",
            attributes: ["mode": .string("nearest"), "padding_mode": .string("border")],
            inputs: [
                Tensor(shape: [1, 1, 1, 2], scalars: [1, 3] as [UInt8]),
                Tensor(shape: [1, 1, 2, 2], scalars: [0.5, 0, -3, 0] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 1, 2], scalars: [3, 1] as [UInt8])]),
    ]
}
