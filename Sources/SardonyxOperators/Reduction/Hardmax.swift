import SardonyxGraph

/// y = 1 at the first largest element along `axis`, 0 elsewhere.
///
/// <https://onnx.ai/onnx/operators/onnx__Hardmax.html>
enum Hardmax: SliceFunction {
    static let schema = Schema.unary(
        "Hardmax", versions: [1, 11, 13], input: "input", output: "output", attributes: [AttributeSpec("axis", .int)])

    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        node.liftMergedAxes(opset: opset, in: &lifting)
    }

    static func apply<T: Real>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int, parameter: Int
    ) {
        let position = extremePosition(x, count: count, stride: stride, wantsLargest: true, wantsLast: false)
        for i in 0..<count { y[i * stride] = i == position ? T.one : T.zero }
    }

    static let derivative: Derivative? = .zero

    static let examples = [
        Example(
            "rows", inputs: [Tensor(shape: [2, 3], scalars: [3, 0, 1, 2, 5, 5] as [Float])],
            outputs: [Tensor(shape: [2, 3], scalars: [1, 0, 0, 0, 1, 0] as [Float])])
    ]
}
