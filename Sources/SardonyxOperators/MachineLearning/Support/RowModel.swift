import SardonyxGraph

/// A model of ai.onnx.ml that makes a row of scores from each row of features.
protocol RowModel: Sendable {
    /// The scores of a row.
    var scoreCount: Int { get }
    /// Numbers of scratch memory for a row.
    var scratchCount: Int { get }
    /// - Parameter row: the features, `featureCount` of them or more.
    func evaluate(
        _ row: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>)
    /// How many features the model reads.
    var featureCount: Int { get }
}

extension RowModel {
    var scratchCount: Int { 0 }
}

/// Features as rows: [C] is one row, [N, C] are N.
struct FeatureRows: Sendable {
    let rows: Int
    let columns: Int

    init(_ shape: [Int]) throws {
        guard shape.count == 1 || shape.count == 2 else {
            throw SardonyxError(.invalidModel, "X must have 1 or 2 axes; it has the shape \(shape)")
        }
        (rows, columns) = shape.count == 1 ? (1, shape[0]) : (shape[0], shape[1])
    }

    /// The extent of the rows' axis in outputs.
    static func extent(_ context: InferenceContext) throws -> Dimension {
        try context.requireRank(0, 1...2, "X")
        guard let shape = context.shape(0) else { return .unknown }
        return shape.count == 1 ? .fixed(1) : shape[0]
    }

    /// Refuses fewer features than the model reads.
    func check<M: RowModel>(_ model: M) throws {
        guard columns >= model.featureCount else {
            throw SardonyxError(
                .invalidModel, "X has \(columns) features; the model reads feature \(model.featureCount - 1)")
        }
    }
}

extension PreparationContext {
    /// A kernel that runs a model on the rows of input 0 and writes its scores.
    func rowKernel<M: RowModel>(_ model: M, _ transform: PostTransform) throws -> Kernel {
        let x = try input(0)
        let features = try FeatureRows(x.shape)
        try features.check(model)
        return try x.dataType.visitNumber(
            RowKernel(model: model, transform: transform, features: features, workers: workers, context: self))
    }
}

private struct RowKernel<M: RowModel>: NumberVisitor {
    let model: M
    let transform: PostTransform
    let features: FeatureRows
    let workers: Int
    let context: PreparationContext

    func visit<X: Number>(_ type: X.Type) throws -> Kernel {
        try context.output(0).dataType.visitReal(Output<X>(parent: self))
    }

    private struct Output<X: Number>: RealVisitor {
        let parent: RowKernel

        func visit<Y: Real>(_ type: Y.Type) throws -> Kernel {
            let (model, transform, columns) = (parent.model, parent.transform, parent.features.columns)
            let scores = model.scoreCount
            let stride = columns + scores + model.scratchCount
            var kernel = Kernel.parallel(chunks: parent.features.rows) { frame, row, worker in
                let numbers = frame.scratch(0, as: Double.self) + worker * stride
                let result = numbers + columns
                let x = frame.input(0, as: X.self) + row * columns
                for i in 0..<columns { numbers[i] = x[i].double }
                model.evaluate(numbers, into: result, scratch: result + scores)
                transform.apply(result, count: scores)
                let y = frame.output(0, as: Y.self) + row * scores
                for i in 0..<scores { y[i] = Y.converting(result[i]) }
            }
            kernel.workspaceByteCount = max(parent.workers, 1) * stride * MemoryLayout<Double>.stride
            return kernel
        }
    }
}

extension RowModel {
    /// Calls `body` with the scores of each row of input 0, before any transform.
    func eachRow(_ context: EvaluationContext, _ body: ([Double]) throws -> Void) throws {
        let x = try context.tensor(0)
        let shape = try FeatureRows(x.shape)
        try shape.check(self)
        let numbers = try x.converted(to: .double)
        var result = [Double](repeating: 0, count: scoreCount)
        var scratch = [Double](repeating: 0, count: max(scratchCount, 1))
        try numbers.withUnsafeBytes(of: Double.self) { numbers in
            guard let source = numbers.baseAddress else { return }
            for row in 0..<shape.rows {
                result.withUnsafeMutableBufferPointer { result in
                    scratch.withUnsafeMutableBufferPointer { scratch in
                        guard let target = result.baseAddress, let scratch = scratch.baseAddress else { return }
                        evaluate(source + row * shape.columns, into: target, scratch: scratch)
                    }
                }
                try body(result)
            }
        }
    }
}
