/// A set of element types, as an operator's schema allows them.
package struct TypeSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt64

    package init(arrayLiteral elements: DataType...) { bits = elements.reduce(0) { $0 | 1 << UInt64($1.rawValue) } }
    private init(bits: UInt64) { self.bits = bits }

    package func contains(_ type: DataType) -> Bool { bits & (1 << UInt64(type.rawValue)) != 0 }
    package static func + (a: TypeSet, b: TypeSet) -> TypeSet { TypeSet(bits: a.bits | b.bits) }
    package var types: [DataType] { DataType.allCases.filter(contains) }

    package static let all = TypeSet(bits: ~0)
    /// float16, float, double, bfloat16.
    package static let floats: TypeSet = [.float16, .float, .double, .bfloat16]
    package static let signedIntegers: TypeSet = [.int8, .int16, .int32, .int64]
    package static let unsignedIntegers: TypeSet = [.uint8, .uint16, .uint32, .uint64]
    package static let integers = signedIntegers + unsignedIntegers
    package static let numbers = floats + integers
    package static let indices: TypeSet = [.int32, .int64]
    package static let float8s: TypeSet = [
        .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
    ]
    package static let subBytes: TypeSet = [.uint4, .int4, .float4e2m1, .uint2, .int2]
}

/// One input or output of an operator.
package struct Parameter: Sendable {
    package enum Kind: Sendable { case required, optional, variadic }

    package let name: String
    /// The type variable: parameters that share one must have the same element type.
    package let variable: String
    /// The element types allowed; sequences, optionals and maps are checked by the operator itself.
    package let types: TypeSet
    package let kind: Kind
    /// Whether all elements of a variadic parameter have the same type.
    package let isHomogeneous: Bool

    package init(
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
package struct AttributeSpec: Sendable {
    package enum Kind: String, Sendable {
        case float = "FLOAT"
        case int = "INT"
        case string = "STRING"
        case tensor = "TENSOR"
        case graph = "GRAPH"
        case floats = "FLOATS"
        case ints = "INTS"
        case strings = "STRINGS"
        case tensors = "TENSORS"
        case graphs = "GRAPHS"
        case type = "TYPE_PROTO"
        case sparseTensor = "SPARSE_TENSOR"
    }

    package let name: String
    package let kind: Kind
    package let isRequired: Bool

    package init(_ name: String, _ kind: Kind, required: Bool = false) {
        self.name = name
        self.kind = kind
        isRequired = required
    }
}

/// What an operator takes and gives.
package struct Schema: Sendable {
    package let domain: String
    package let name: String
    /// The opset versions in which the standard changed the operator, oldest first.
    package let versions: [Int]
    package let inputs: [Parameter]
    package let outputs: [Parameter]
    /// Attributes of the newest version.
    package let attributes: [AttributeSpec]

    package init(
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

    package var qualifiedName: String { domain.isEmpty ? name : "\(domain).\(name)" }

    /// The version of the operator that an opset holds, or nil when it came later.
    package func version(inOpset opset: Int) -> Int? { versions.last { $0 <= opset } }

    package func parameter(forInput position: Int) -> Parameter? {
        if position < inputs.count { return inputs[position] }
        guard let last = inputs.last, case .variadic = last.kind else { return nil }
        return last
    }
}
