import CKernels
import SardonyxGraph

/// c = a / b, with numpy's broadcasting; integers truncate toward zero.
///
/// An integer divisor of zero is an error (`invalidValue`).
/// <https://onnx.ai/onnx/operators/onnx__Div.html>
enum Div: NumberBinary {
    static let schema = Schema.binary("Div", versions: [1, 6, 7, 13, 14])
    static var kernel: sdx_binary_op { SDX_BINARY_DIV }
    static let divides = true

    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { T.dividing(a, b) }

    static func combine(_ a: Dimension, _ b: Dimension) -> Dimension {
        // `Dimension` takes the floor: where signs differ that is another number.
        if let a = a.value, a < 0 { return .unknown }
        if let b = b.value, b <= 0 { return .unknown }
        return a / b
    }

    static let derivative: Derivative? = Derivative { d in
        try d.setSummed(0) { try d.dy() / d.x(1) }
        try d.setSummed(1) { try -d.dy() * d.y() / d.x(1) }
    }

    static let examples = [
        Example(
            "quotients",
            inputs: [Tensor(shape: [2], scalars: [3, 4] as [Float]), Tensor(shape: [2], scalars: [2, 8] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [1.5, 0.5] as [Float])]),
        Example(
            "integers truncate",
            inputs: [Tensor(shape: [3], scalars: [-7, 7, 9] as [Int32]), Tensor(2 as Int32)],
            outputs: [Tensor(shape: [3], scalars: [-3, 3, 4] as [Int32])]),
    ]
}
