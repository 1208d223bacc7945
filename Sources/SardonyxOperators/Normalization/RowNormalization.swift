import CKernels
import SardonyxGraph

/// Normalisation of rows, with a scale and bias that broadcast over a row: inputs 0, 1 and 2; outputs 0 and, where wanted, the
/// rows' means and inverse deviations.
struct RowNormalization: RealVisitor {
    let rows: Int
    let count: Int
    let epsilon: Float
    let subtractsMean: Bool
    let outputType: DataType
    let scaleType: DataType
    let statisticsType: DataType
    /// Offsets of the parameters' elements along a row; nil where they have the row's own shape.
    let scaleOffsets: [Int]?
    let biasOffsets: [Int]?
    let bias: Int?
    let mean: Int?
    let inverse: Int?

    init(_ context: PreparationContext, _ x: TensorSpec, axis: Int, subtractsMean: Bool) throws {
        rows = x.shape[..<axis].reduce(1, *)
        count = x.shape[axis...].reduce(1, *)
        epsilon = context.node.float("epsilon", default: 1e-5)
        self.subtractsMean = subtractsMean
        let row = Array(x.shape[axis...])
        scaleOffsets = Self.offsets(try context.input(1).shape, over: row)
        bias = subtractsMean ? context.inputSlot(2) : nil
        biasOffsets = try bias.flatMap { Self.offsets(try context.input($0).shape, over: row) }
        mean = context.outputSlot(1)
        inverse = context.outputSlot(2)
        outputType = try context.output(0).dataType
        scaleType = try context.input(1).dataType
        statisticsType = try (mean ?? inverse).map { try context.output($0).dataType } ?? .float
    }

    private static func offsets(_ shape: [Int], over row: [Int]) -> [Int]? {
        if shape == row { return nil }
        let padded = [Int](repeating: 1, count: row.count - shape.count) + shape
        let strides = zip(padded, padded.rowMajorStrides).map { $0 == 1 ? 0 : $1 }
        var offsets = [0]
        for axis in row.indices {
            offsets = offsets.flatMap { base in (0..<row[axis]).map { base + $0 * strides[axis] } }
        }
        return offsets
    }

    func kernel(_ type: DataType) throws -> Kernel {
        let parameters = self
        let isPlain =
            scaleOffsets == nil && biasOffsets == nil && type == .float && outputType == .float
            && scaleType == .float && statisticsType == .float
        if isPlain {
            let (rows, count) = (Int64(rows), Int64(count))
            var kernel = Kernel { frame in
                if parameters.subtractsMean {
                    sdx_layer_norm_f32(
                        frame.pool, frame.input(0), frame.output(0), rows, count, frame.input(1),
                        frame.input(slot: parameters.bias), parameters.epsilon, frame.output(slot: parameters.mean),
                        frame.output(slot: parameters.inverse))
                } else {
                    sdx_rms_norm_f32(
                        frame.pool, frame.input(0), frame.output(0), rows, count, frame.input(1), parameters.epsilon,
                        nil)
                }
            }
            kernel.inPlace = [0: [0]]
            return kernel
        }
        return try type.visitReal(self)
    }

    func visit<T: Real>(_ type: T.Type) throws -> Kernel {
        let p = self
        return Kernel.parallel(chunks: rows) { frame, row, _ in
            let x = frame.input(0, as: T.self) + row * p.count
            var mean = 0.0
            if p.subtractsMean {
                for i in 0..<p.count { mean += x[i].double }
                mean /= Double(p.count)
            }
            var squares = 0.0
            for i in 0..<p.count { squares += (x[i].double - mean) * (x[i].double - mean) }
            let inverse = 1 / (squares / Double(p.count) + Double(p.epsilon)).squareRoot()
            for i in 0..<p.count {
                var value = (x[i].double - mean) * inverse
                // The standard scales what has been rounded to x's type.
                if !p.subtractsMean { value = T(wide: T.Wide(value)).double }
                value *= frame.double(1, p.scaleType, p.scaleOffsets?[i] ?? i)
                if let bias = p.bias { value += frame.double(bias, T.dataType, p.biasOffsets?[i] ?? i) }
                frame.store(value, 0, p.outputType, row * p.count + i)
            }
            if let output = p.mean { frame.store(mean, output, p.statisticsType, row) }
            if let output = p.inverse { frame.store(inverse, output, p.statisticsType, row) }
        }
    }
}
