import SardonyxGraph

/// y[f, m] = the weight of spectrum bin f in the m-th of `num_mel_bins` triangles, whose corners lie evenly between the
/// two edges on the scale mel(f) = 2595 · log₁₀(1 + f / 700). Every triangle's peak is 1.
///
/// <https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html>
enum MelWeightMatrix: Operator {
    static let schema = Schema(
        "MelWeightMatrix", versions: [17],
        inputs: [
            Parameter("num_mel_bins", "T1", .indices), Parameter("dft_length", "T1", .indices),
            Parameter("sample_rate", "T1", .indices), Parameter("lower_edge_hertz", "T2", .floats),
            Parameter("upper_edge_hertz", "T2", .floats),
        ],
        outputs: [Parameter("output", "T3", .numbers)], attributes: [AttributeSpec("output_datatype", .int)])

    static let execution = Execution.dynamic

    private static func outputType(_ node: Node) throws -> DataType {
        let type = try node.dataType("output_datatype") ?? .float
        guard TypeSet.numbers.contains(type) else {
            throw SardonyxError(.invalidModel, "'output_datatype' is \(type.name); a type of numbers is wanted")
        }
        return type
    }

    static func infer(_ context: inout InferenceContext) throws {
        for index in 0..<5 { try context.requireRank(index, 0...1, schema.inputs[index].name) }
        let (bins, length) = (context.onlyElement(0), context.onlyElement(1))
        if let bins = bins.value, let length = length.value { try check(bins, length, 1) }
        context.set(0, try outputType(context.node), [length / .fixed(2) + .fixed(1), bins])
    }

    private static func check(_ bins: Int, _ length: Int, _ rate: Int) throws {
        guard bins >= 0, length >= 0, length < 1 << 40, bins < 1 << 40, rate > 0 else {
            throw SardonyxError(
                .invalidValue, "a matrix of \(bins) mel bins for a transform of \(length) at \(rate) Hz cannot be made")
        }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let integers = try (0..<3).map { try scalar(context.tensor($0).integers, $0) }
        let edges = try (3..<5).map { try scalar(context.tensor($0).numbers(), $0) }
        let (bins, length, rate) = (integers[0], integers[1], integers[2])
        try check(bins, length, rate)
        let frequencies = length / 2 + 1
        var result = try context.environment.allocate(.double, [frequencies, bins])
        let corners = try corners(bins: bins, length: length, rate: rate, edges: edges, limit: frequencies)
        try result.withUnsafeMutableBytes { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            let target = bytes.bindMemory(to: Double.self)
            for mel in 0..<bins {
                let (left, center, right) = (corners[mel], corners[mel + 1], corners[mel + 2])
                if left == center { target[center * bins + mel] = 1 }
                for f in stride(from: left, through: center, by: 1) where left < center {
                    target[f * bins + mel] = Double(f - left) / Double(center - left)
                }
                for f in stride(from: center, to: right, by: 1) {
                    target[f * bins + mel] = Double(right - f) / Double(right - center)
                }
            }
        }
        return [.tensor(try result.converted(to: try outputType(context.node)))]
    }

    private static func scalar<T>(_ values: [T]?, _ input: Int) throws -> T {
        guard let values, values.count == 1 else {
            throw SardonyxError(.invalidInput, "'\(schema.inputs[input].name)' must be one number")
        }
        return values[0]
    }

    /// The spectrum bins of the triangles' corners.
    private static func corners(bins: Int, length: Int, rate: Int, edges: [Double], limit: Int) throws -> [Int] {
        let mels = edges.map { 2595 * Double.log1p($0 / 700) / Double.log(10) }
        let step = (mels[1] - mels[0]) / Double(bins + 2)
        return try (0..<bins + 2).map { index in
            let hertz = 700 * Double.expm1((Double(index) * step + mels[0]) / 2595 * Double.log(10))
            let bin = (Double(length + 1) * hertz / Double(rate)).rounded(.down)
            guard bin >= 0, bin < Double(limit) else {
                throw SardonyxError(
                    .invalidValue, "the edges \(edges[0]) and \(edges[1]) Hz lead to spectrum bin \(bin) of \(limit)")
            }
            return Int(bin)
        }
    }

    /// The corners of the triangles are rounded to bins.
    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "three triangles",
            inputs: [
                Tensor(3 as Int64), Tensor(8 as Int64), Tensor(8192 as Int64), Tensor(0 as Float),
                Tensor(4096 as Float),
            ],
            outputs: [Tensor(shape: [5, 3], scalars: [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] as [Float])])
    ]
}
