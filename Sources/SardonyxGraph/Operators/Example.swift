/// A worked example of an operator: attributes, inputs, and the outputs they give.
public struct Example: Sendable {
    /// What the example shows, in a few words.
    public let title: String
    /// The node's attributes.
    public let attributes: [String: Attribute]
    /// nil for an omitted input.
    public let inputs: [Tensor?]
    /// What comes out; nil for an output that nobody wants.
    public let outputs: [Tensor?]
    /// Largest |a − b| allowed, relative to 1 + |b|.
    public let tolerance: Double

    /// An example with this title.
    public init(
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
