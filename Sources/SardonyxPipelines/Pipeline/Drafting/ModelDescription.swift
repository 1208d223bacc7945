/// What a model tells about itself, as far as a first pipeline can be guessed from it.
public struct ModelDescription: Sendable, Equatable {
    /// One entry of a shape.
    public enum Dimension: Sendable, Equatable {
        /// So many, always.
        case fixed(Int)
        /// Any number; the name may be empty.
        case named(String)

        /// The number, where it is fixed.
        public var size: Int? {
            if case .fixed(let size) = self { return size }
            return nil
        }
    }

    /// An input or output.
    public struct Port: Sendable, Equatable {
        /// The name in the model.
        public var name: String
        /// The element type as ONNX writes it: "float", "uint8", "int64".
        public var type: String
        /// One entry an axis, outermost first: [N, C, H, W] or [N, C, D, H, W]; `nil` when the model does not say.
        public var shape: [Dimension]?
        /// The operator that makes an output ("Sigmoid"); empty for inputs.
        public var lastOperator: String

        /// An input or output.
        public init(name: String, type: String = "float", shape: [Dimension]?, lastOperator: String = "") {
            self.name = name
            self.type = type
            self.shape = shape
            self.lastOperator = lastOperator
        }
    }

    /// In the model's order, without weights.
    public var inputs: [Port]
    /// In the model's order.
    public var outputs: [Port]
    /// What exported the model: "pytorch 2.4.0"; may be empty.
    public var producer: String

    /// A model.
    public init(inputs: [Port], outputs: [Port], producer: String = "") {
        self.inputs = inputs
        self.outputs = outputs
        self.producer = producer
    }
}
