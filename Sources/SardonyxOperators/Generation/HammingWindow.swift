import SardonyxGraph

/// w[n] = 25/46 - 21/46 · cos(2πn / N) for 0 ≤ n < size, with N = size when `periodic` (the default), else size - 1.
///
/// <https://onnx.ai/onnx/operators/onnx__HammingWindow.html>
enum HammingWindow: CosineWindow {
    static let name = "HammingWindow"
    static let coefficients: (a0: Double, a1: Double, a2: Double) = (a0: 25.0 / 46.0, a1: 21.0 / 46.0, a2: 0)
    static let schema = windowSchema

    static let examples = [
        Example(
            "periodic", inputs: [Tensor(4 as Int32)],
            outputs: [Tensor(shape: [4], scalars: [0.0869565234, 0.543478251, 1, 0.543478251] as [Float])],
            tolerance: 1e-6),
        Example(
            "symmetric", attributes: ["periodic": .int(0), "output_datatype": .int(11)], inputs: [Tensor(4 as Int64)],
            outputs: [Tensor(shape: [4], scalars: [0.0869565234, 0.771739125, 0.771739125, 0.0869565234] as [Double])],
            tolerance: 1e-6),
    ]
}
