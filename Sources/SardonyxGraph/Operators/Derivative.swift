/// How an operator's derivative is taken: from the gradients of a node's outputs, the rule makes those of its inputs, by nodes
/// that it adds to the graph. It knows nothing of the rest of the graph.
package struct Derivative: Sendable {
    package let rule: @Sendable (Derivation) throws -> Void
    /// How many of a node's outputs the rule reads: those that the file omits are made for it.
    package let outputCount: Int

    package init(outputCount: Int = 0, _ rule: @escaping @Sendable (Derivation) throws -> Void) {
        (self.rule, self.outputCount) = (rule, outputCount)
    }

    /// The outputs do not change with the inputs where they have a derivative at all.
    package static let zero = Derivative { _ in }
}

/// What a derivative rule sees and sets.
package final class Derivation {
    package let node: Node
    /// Adds the derivative's nodes.
    package let builder: GraphBuilder
    /// The outputs' gradients; nil where the result does not depend on the output.
    package let outputGradients: [ValueID?]
    /// The inputs whose gradients are of use: of floating point, and on the way from what is differentiated by.
    package let isWanted: [Bool]
    /// Values that the node's graphs read from the graph around, and whose gradients are of use.
    package let wantedCaptures: [ValueID]
    /// The inputs' gradients, to be set; nil is zero.
    package var gradients: [ValueID?]
    /// The gradients of `wantedCaptures`, in any order; those that are missing are zero.
    package var captureGradients: [(value: ValueID, gradient: ValueID)] = []

    package init(
        node: Node, builder: GraphBuilder, outputGradients: [ValueID?], isWanted: [Bool], wantedCaptures: [ValueID] = []
    ) {
        self.wantedCaptures = wantedCaptures
        self.node = node
        self.builder = builder
        self.outputGradients = outputGradients
        self.isWanted = isWanted
        gradients = [ValueID?](repeating: nil, count: node.inputs.count)
    }
}
