import SardonyxGraph

/// A table from keys to values, each integers, numbers or strings: what LabelEncoder and CategoryMapper look up in.
struct LabelTable {
    private enum Key: Hashable {
        case integer(Int64)
        /// All NaN are one key, and so are both zeros.
        case number(Double)
        case notANumber
        case string(String)

        init(_ value: Double) { self = value.isNaN ? .notANumber : .number(value == 0 ? 0 : value) }
    }

    private let places: [Key: Int]
    private let values: Tensor
    private let fallback: Tensor

    /// - Parameters:
    ///   - values: one for each key, on one axis.
    ///   - fallback: the value of unknown keys, one element of the values' type.
    init(keys: Tensor, values: Tensor, fallback: Tensor) throws {
        guard keys.count == values.count else {
            throw SardonyxError(.invalidModel, "there are \(keys.count) keys and \(values.count) values")
        }
        guard fallback.dataType == values.dataType, fallback.count == 1 else {
            throw SardonyxError(.invalidModel, "the default must be one element of the type \(values.dataType.name)")
        }
        // A repeated key's last value counts.
        places = Dictionary(zip(try Self.keys(keys), 0...)) { $1 }
        (self.values, self.fallback) = (values, fallback)
    }

    private static func keys(_ tensor: Tensor) throws -> [Key] {
        if tensor.dataType == .string { return tensor.strings.map { .string($0) } }
        if let numbers = tensor.doubles { return numbers.map { Key($0) } }
        guard let integers = tensor.integers else { throw tensor.dataType.unsupported }
        return integers.map { .integer(Int64($0)) }
    }

    func lookUp(_ keys: Tensor) throws -> Tensor {
        let found = try Self.keys(keys).map { places[$0] }
        if values.dataType == .string {
            let fallback = fallback.strings[0]
            return Tensor(shape: keys.shape, strings: found.map { $0.map { values.strings[$0] } ?? fallback })
        }
        var result = try Tensor(uninitialized: values.dataType, shape: keys.shape)
        let size = values.dataType.byteCount
        try result.withUnsafeMutableBytes { target in
            values.withUnsafeBytes { values in
                fallback.withUnsafeBytes { fallback in
                    for (index, place) in found.enumerated() {
                        let source = place.map { values[($0 * size)..<(($0 + 1) * size)] } ?? fallback[..<size]
                        UnsafeMutableRawBufferPointer(rebasing: target[(index * size)..<((index + 1) * size)])
                            .copyBytes(from: source)
                    }
                }
            }
        }
        return result
    }
}
