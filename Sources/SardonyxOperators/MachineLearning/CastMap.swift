import SardonyxGraph

/// Y[0, :] = the map's values in the order of their integer keys
///
/// With `map_form` SPARSE the value of key k stands at k, with zeros (empty strings) between.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html>
enum CastMap: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "CastMap", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T1", [])],
        outputs: [Parameter("Y", "T2", [.float, .int64, .string])],
        attributes: [
            AttributeSpec("cast_to", .string), AttributeSpec("map_form", .string), AttributeSpec("max_map", .int),
        ])

    private static func target(_ node: Node) throws -> DataType {
        switch node.string("cast_to", default: "TO_FLOAT") {
        case "TO_FLOAT": return .float
        case "TO_INT64": return .int64
        case "TO_STRING": return .string
        case let name:
            throw SardonyxError(.invalidModel, "cast_to is '\(name)'; it must be TO_FLOAT, TO_STRING or TO_INT64")
        }
    }

    /// The output's length, or nil when it is the map's.
    private static func length(_ node: Node) throws -> Int? {
        switch node.string("map_form", default: "DENSE") {
        case "DENSE": return nil
        case "SPARSE":
            let length = node.int("max_map", default: 1)
            guard length > 0 else { throw SardonyxError(.invalidModel, "max_map is \(length); it must be positive") }
            return length
        case let name: throw SardonyxError(.invalidModel, "map_form is '\(name)'; it must be DENSE or SPARSE")
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let length = try length(context.node)
        context.set(0, try target(context.node), [.fixed(1), length.map { .fixed($0) } ?? .unknown])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let target = try target(context.node)
        let length = try length(context.node)
        let entries = try context.map(0).map { key, value in
            guard case .integer(let number) = key else {
                throw SardonyxError(.invalidInput, "the map's keys must be integers")
            }
            return (key: number, value: value)
        }.sorted { $0.key < $1.key }
        let count = length ?? entries.count
        let gap = target == .string ? Tensor(shape: [], strings: [""]) : try Tensor(dataType: target, shape: [])
        var values = try [Tensor](repeating: Tensor.checked(gap, count: count), count: count)
        for (index, entry) in entries.enumerated() {
            let place = length == nil ? index : Int(entry.key)
            guard place >= 0, place < count else {
                throw SardonyxError(.invalidValue, "the map's key \(entry.key) is outside [0, \(count - 1)]")
            }
            values[place] = try converted(entry.value, to: target)
        }
        let shape = [1, count]
        switch target {
        case .string: return [.tensor(Tensor(shape: shape, strings: values.map { $0.strings[0] }))]
        case .float: return [.tensor(Tensor(shape: shape, scalars: values.map { $0.scalars(Float.self)[0] }))]
        default: return [.tensor(Tensor(shape: shape, scalars: values.map { $0.scalars(Int64.self)[0] }))]
        }
    }

    private static func converted(_ value: Tensor, to target: DataType) throws -> Tensor {
        if value.dataType == target { return value }
        if target == .string { return Tensor(shape: [], strings: try NumberText.texts(of: value)) }
        if value.dataType == .string {
            return try NumberText.tensor(value.strings, shape: [], ElementConversion(from: .string, to: target))
        }
        return try value.converted(to: target)
    }
}

extension Tensor {
    /// Refuses a length that would take more memory than can be addressed.
    fileprivate static func checked(_ tensor: Tensor, count: Int) throws -> Tensor {
        guard count <= 1 << 32 else { throw SardonyxError(.memory, "an output of \(count) elements is too large") }
        return tensor
    }
}
