import SardonyxGraph

/// grid[n, o…, :] = theta[n] · (x, y, …, 1), where x, y, … are o's coordinates from the innermost axis on, between -1 and 1: at the
/// centres of the outermost elements with `align_corners`, at their outer edges without.
///
/// <https://onnx.ai/onnx/operators/onnx__AffineGrid.html>
enum AffineGrid: Operator {
    static let schema = Schema(
        "AffineGrid", versions: [20],
        inputs: [Parameter("theta", "T1", .floats), Parameter("size", "T2", [.int64])],
        outputs: [Parameter("grid", "T1", .floats)], attributes: [AttributeSpec("align_corners", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let theta = context.shape(0)
        if let theta {
            let sizes = theta.dropFirst().map(\.value)
            guard theta.count == 3,
                zip(sizes, [[2, 3], [3, 4]][sizes[0] == 3 || sizes[1] == 4 ? 1 : 0])
                    .allSatisfy({ $0 == nil || $0 == $1 })
            else {
                throw SardonyxError(
                    .invalidModel, "theta has the shape \(theta.text); it must be [N, 2, 3] or [N, 3, 4]")
            }
        }
        guard let size = context.elements(1) else {
            let rank = context.shape(1)?.first?.value
            guard rank == nil || rank == 4 || rank == 5 else {
                throw SardonyxError(
                    .invalidModel, "size has \(rank ?? 0) elements; it must be N, C and two or three extents")
            }
            return context.set(0, type, rank.map { SymbolicShape(repeating: .unknown, count: $0) })
        }
        guard size.count == 4 || size.count == 5, size.allSatisfy({ ($0.value ?? 0) >= 0 }) else {
            throw SardonyxError(.invalidModel, "size is \(size.text); it must be N, C and two or three extents")
        }
        let rank = size.count - 2
        if let rows = theta?[1].value, rows != rank {
            throw SardonyxError(.invalidModel, "theta is for \(rows) axes, size has \(rank)")
        }
        if let images = theta?[0].value, let wanted = size[0].value, images != wanted {
            throw SardonyxError(.invalidModel, "theta has \(images) matrices; size wants \(wanted)")
        }
        context.set(0, type, [size[0]] + size[2...] + [.fixed(rank)])
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let shape = try context.output(0).shape
        var kernel = try context.output(0).dataType.visitReal(
            Loops(
                extents: Array(shape[1..<shape.count - 1]), batch: shape[0],
                alignsCorners: context.node.flag("align_corners")))
        kernel.absorbedInputs = [1]
        return kernel
    }

    private struct Loops: RealVisitor {
        let extents: [Int]
        let batch: Int
        let alignsCorners: Bool

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let rank = extents.count
            let points = extents.elementCount
            let strides = extents.rowMajorStrides
            let (extents, alignsCorners) = (extents, alignsCorners)
            @Sendable func coordinate(_ i: Int, _ extent: Int) -> T.Wide {
                if alignsCorners { return extent == 1 ? -1 : T.Wide(-1 + 2 * Double(i) / Double(extent - 1)) }
                return T.Wide((2 * Double(i) + 1) / Double(extent) - 1)
            }
            return .parallel(count: batch * points, grain: 1024) { frame, range in
                let theta = frame.input(0, as: T.self)
                let grid = frame.output(0, as: T.self)
                for element in range {
                    let (image, point) = (element / points, element % points)
                    for row in 0..<rank {
                        let matrix = theta + (image * rank + row) * (rank + 1)
                        var sum = T.Wide.zero
                        for column in 0..<rank {
                            let axis = rank - 1 - column
                            sum +=
                                matrix[column].wide * coordinate(point / strides[axis] % extents[axis], extents[axis])
                        }
                        grid[element * rank + row] = T(wide: sum + matrix[rank].wide)
                    }
                }
            }
        }
    }

    /// The grid is linear in theta; that of the identity holds the coordinates.
    static let derivative: Derivative? = Derivative { d in
        let dy = try d.dy()
        let rank = try dy.rank() - 2
        guard rank == 2 || rank == 3 else { throw SardonyxError(.invalidModel, "size must be for two or three axes") }
        try d.set(0) {
            let theta = try d.x(0)
            let eye = (0..<rank * (rank + 1)).map { $0 % (rank + 2) == 0 ? 1.0 : 0 }
            let identity = try Tensor(shape: [1, rank, rank + 1], scalars: eye).converted(to: theta.dataType())
            let size = try d.x(1).apply("Slice", dy.integers([1]), dy.integers([Int(Int32.max)]))
            let points = try dy.extents(1..<1 + rank).apply("ReduceProd").joined([dy.integers([rank])])
            let coordinates = try Term(id: d.builder.addConstant(identity), builder: d.builder).apply(
                "AffineGrid", dy.integers([1]).joined([size]), with: d.node.attributes
            ).reshaped(to: points)
            let ones = try dy.filled(1, coordinates.extents(0..<1).joined([dy.integers([1])]))
            return try dy.reshaped(to: dy.extents(0..<1).joined([points])).matrixTransposed().apply(
                "MatMul", coordinates.joined([ones], axis: 1))
        }
    }

    static let examples = [
        Example(
            "the identity",
            attributes: ["align_corners": .int(1)],
            inputs: [
                Tensor(shape: [1, 2, 3], scalars: [1, 0, 0, 0, 1, 0] as [Float]), Tensor(integers: [1, 1, 2, 2]),
            ],
            outputs: [Tensor(shape: [1, 2, 2, 2], scalars: [-1, -1, 1, -1, -1, 1, 1, 1] as [Float])], tolerance: 1e-6)
    ]
}
