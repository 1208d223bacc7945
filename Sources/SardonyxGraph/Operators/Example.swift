/// A worked example of an operator: attributes, inputs, and the outputs they give.
package struct Example: Sendable {
    /// What the example shows, in a few words.
    package let title: String
    package let attributes: [String: Attribute]
    /// nil for an omitted input.
    package let inputs: [Tensor?]
    package let outputs: [Tensor?]
    /// Largest |a − b| allowed, relative to 1 + |b|.
    package let tolerance: Double

    package init(
        _ title: String, attributes: [String: Attribute] = [:], inputs: [Tensor?], outputs: [Tensor?],
        tolerance: Double = 0
    ) {
        self.title = title
        self.attributes = attributes
        self.inputs = inputs
        self.outputs = outputs
        self.tolerance = tolerance
    }
}
