import CKernels
import SardonyxGraph

/// An operator whose nodes may be steps of a `FusedElementwise`: each element of its output is a function of the elements
/// that its inputs have there.
package protocol ElementwiseOperator: Operator {
    /// The C kernel's function that the node computes of floats.
    /// - Parameter constant: the value of an input, when it is known.
    /// - Returns: nil for nodes that no single function of the first one or two inputs covers.
    static func function(of node: Node, constant: (Int) -> Tensor?) -> ElementwiseFunction?
}

/// A C kernel's function of one or two floats.
package enum ElementwiseFunction: Sendable {
    /// Of input 0.
    case unary(sdx_unary_op, a: Float, b: Float)
    /// Of inputs 0 and 1.
    case binary(sdx_binary_op)
}
