/// A set of element types, as an operator's schema allows them.
public struct TypeSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt64

    /// These types.
    public init(arrayLiteral elements: DataType...) { bits = elements.reduce(0) { $0 | 1 << UInt64($1.rawValue) } }
    private init(bits: UInt64) { self.bits = bits }

    package func contains(_ type: DataType) -> Bool { bits & (1 << UInt64(type.rawValue)) != 0 }
    /// The types of either set.
    public static func + (a: TypeSet, b: TypeSet) -> TypeSet { TypeSet(bits: a.bits | b.bits) }
    package var types: [DataType] { DataType.allCases.filter(contains) }

    /// Every type.
    public static let all = TypeSet(bits: ~0)
    /// float16, float, double, bfloat16.
    public static let floats: TypeSet = [.float16, .float, .double, .bfloat16]
    /// int8 to int64.
    public static let signedIntegers: TypeSet = [.int8, .int16, .int32, .int64]
    /// uint8 to uint64.
    public static let unsignedIntegers: TypeSet = [.uint8, .uint16, .uint32, .uint64]
    /// All integers of whole bytes.
    public static let integers = signedIntegers + unsignedIntegers
    /// All floating-point types but the smallest, and all integers of whole bytes.
    public static let numbers = floats + integers
    /// int32 and int64.
    public static let indices: TypeSet = [.int32, .int64]
    /// The floating-point types of one byte.
    public static let float8s: TypeSet = [
        .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
    ]
    /// The types of less than a byte.
    public static let subBytes: TypeSet = [.uint4, .int4, .float4e2m1, .uint2, .int2]
}

/// One input or output of an operator.
public struct Parameter: Sendable {
    /// Whether a parameter must be given, may be omitted, or stands for any number of values.
    public enum Kind: Sendable {
        /// It must be given.
        case required
        /// It may be omitted.
        case optional
        /// The last one, which stands for any number of values.
        case variadic
    }

    /// The name in messages and documentation.
    public let name: String
    /// The type variable: parameters that share one must have the same element type.
    public let variable: String
    /// The element types allowed; sequences, optionals and maps are checked by the operator itself.
    public let types: TypeSet
    /// Whether it must be given.
    public let kind: Kind
    /// Whether all elements of a variadic parameter have the same type.
    public let isHomogeneous: Bool

    /// A parameter of these types; those with the same variable have the same type.
    public init(
        _ name: String, _ variable: String, _ types: TypeSet, _ kind: Kind = .required, isHomogeneous: Bool = true
    ) {
        self.name = name
        self.variable = variable
        self.types = types
        self.kind = kind
        self.isHomogeneous = isHomogeneous
    }
}

/// An attribute of an operator, with its kind and what it is when absent.
public struct AttributeSpec: Sendable {
    /// ONNX's kinds of attributes.
    public enum Kind: String, Sendable {
        /// A number.
        case float = "FLOAT"
        /// An integer.
        case int = "INT"
        /// A text.
        case string = "STRING"
        /// A tensor.
        case tensor = "TENSOR"
        /// A graph that the node runs.
        case graph = "GRAPH"
        /// Numbers.
        case floats = "FLOATS"
        /// Integers.
        case ints = "INTS"
        /// Texts.
        case strings = "STRINGS"
        /// Tensors.
        case tensors = "TENSORS"
        /// Graphs that the node runs.
        case graphs = "GRAPHS"
        /// A value's type.
        case type = "TYPE_PROTO"
        /// A sparse tensor.
        case sparseTensor = "SPARSE_TENSOR"
    }

    /// The attribute's name.
    public let name: String
    /// What it holds.
    public let kind: Kind
    /// Whether a node must have it.
    public let isRequired: Bool

    /// An attribute of this name and kind.
    public init(_ name: String, _ kind: Kind, required: Bool = false) {
        self.name = name
        self.kind = kind
        isRequired = required
    }
}

/// What an operator takes and gives.
public struct Schema: Sendable {
    /// The operator's domain; empty is ai.onnx.
    public let domain: String
    /// The operator's name.
    public let name: String
    /// The opset versions in which the standard changed the operator, oldest first.
    public let versions: [Int]
    /// What it takes, in order.
    public let inputs: [Parameter]
    /// What it gives, in order.
    public let outputs: [Parameter]
    /// Attributes of the newest version.
    public let attributes: [AttributeSpec]

    /// An operator of this name that stands in these versions of its domain.
    public init(
        _ name: String, domain: String = "", versions: [Int], inputs: [Parameter], outputs: [Parameter],
        attributes: [AttributeSpec] = []
    ) {
        self.domain = domain
        self.name = name
        self.versions = versions
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }

    package var qualifiedName: String { Self.qualifiedName(domain: domain, name) }

    static func qualifiedName(domain: String, _ name: String) -> String { domain.isEmpty ? name : "\(domain).\(name)" }

    /// The version of the operator that an opset holds, or nil when it came later.
    package func version(inOpset opset: Int) -> Int? { versions.last { $0 <= opset } }

    package func parameter(forInput position: Int) -> Parameter? {
        if position < inputs.count { return inputs[position] }
        guard let last = inputs.last, case .variadic = last.kind else { return nil }
        return last
    }
}
