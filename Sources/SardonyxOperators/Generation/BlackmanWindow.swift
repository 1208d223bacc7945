import SardonyxGraph

/// w[n] = 0.42 - 0.5 · cos(2πn / N) + 0.08 · cos(4πn / N) for 0 ≤ n < size, with N = size when `periodic` (the default), else size - 1.
///
/// <https://onnx.ai/onnx/operators/onnx__BlackmanWindow.html>
enum BlackmanWindow: CosineWindow {
    static let name = "BlackmanWindow"
    static let coefficients: (a0: Double, a1: Double, a2: Double) = (a0: 0.42, a1: 0.5, a2: 0.08)
    static let schema = windowSchema

    static let examples = [
        Example(
            "periodic", inputs: [Tensor(4 as Int32)],
            outputs: [Tensor(shape: [4], scalars: [0, 0.340000004, 1, 0.340000004] as [Float])], tolerance: 1e-6),
        Example(
            "symmetric", attributes: ["periodic": .int(0), "output_datatype": .int(11)], inputs: [Tensor(4 as Int64)],
            outputs: [Tensor(shape: [4], scalars: [0, 0.629999995, 0.629999995, 0] as [Double])],
            tolerance: 1e-6),
    ]
}
