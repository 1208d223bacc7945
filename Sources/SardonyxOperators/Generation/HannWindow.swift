import SardonyxGraph

/// w[n] = sin²(πn / N) for 0 ≤ n < size, with N = size when `periodic` (the default), else size - 1.
///
/// <https://onnx.ai/onnx/operators/onnx__HannWindow.html>
enum HannWindow: CosineWindow {
    static let name = "HannWindow"
    static let coefficients: (a0: Double, a1: Double, a2: Double) = (a0: 0.5, a1: 0.5, a2: 0)
    static let schema = windowSchema

    static let examples = [
        Example(
            "periodic", inputs: [Tensor(4 as Int32)],
            outputs: [Tensor(shape: [4], scalars: [0, 0.5, 1, 0.5] as [Float])], tolerance: 1e-6),
        Example(
            "symmetric", attributes: ["periodic": .int(0), "output_datatype": .int(11)], inputs: [Tensor(4 as Int64)],
            outputs: [Tensor(shape: [4], scalars: [0, 0.75, 0.75, 0] as [Double])],
            tolerance: 1e-6),
    ]
}
