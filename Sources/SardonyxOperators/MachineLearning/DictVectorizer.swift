import SardonyxGraph

/// Y[0, k] = the map's value for vocabulary[k], or zero (the empty string) where the map has none.
///
/// <https://onnx.ai/onnx/operators/onnx_aionnxml_DictVectorizer.html>
enum DictVectorizer: Operator {
    static let execution = Execution.dynamic

    static let schema = Schema(
        "DictVectorizer", domain: "ai.onnx.ml", versions: [1], inputs: [Parameter("X", "T1", [])],
        outputs: [Parameter("Y", "T2", [.double, .float, .int64, .string])],
        attributes: [AttributeSpec("int64_vocabulary", .ints), AttributeSpec("string_vocabulary", .strings)])

    private static func vocabulary(_ node: Node) throws -> [Datum.MapKey] {
        if let strings = node.strings("string_vocabulary"), !strings.isEmpty { return strings.map { .string($0) } }
        guard let integers = node.ints("int64_vocabulary") else {
            throw SardonyxError(.invalidModel, "string_vocabulary or int64_vocabulary must be there")
        }
        return integers.map { .integer(Int64($0)) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let count = try vocabulary(context.node).count
        guard context.has(0), case .map(_, let value)? = context.inputs[0], let type = value.dataType else { return }
        context.set(0, type, [.fixed(1), .fixed(count)])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let entries = try context.map(0)
        let places = Dictionary(zip(try vocabulary(context.node), 0...)) { first, _ in first }
        guard let type = entries.first?.value.dataType ?? context.outputTypes.first?.dataType else {
            throw SardonyxError(.invalidValue, "the map is empty and its values' type is not known")
        }
        let shape = [1, places.count]
        var found: [(place: Int, value: Tensor)] = []
        for (key, value) in entries {
            guard let place = places[key] else {
                throw SardonyxError(.invalidValue, "the map's key \(key) is not in the vocabulary")
            }
            found.append((place, value))
        }
        if type == .string {
            var strings = [String](repeating: "", count: places.count)
            for (place, value) in found { strings[place] = value.strings.first ?? "" }
            return [.tensor(Tensor(shape: shape, strings: strings))]
        }
        var result = try Tensor(dataType: type, shape: shape)
        let size = type.byteCount
        try result.withUnsafeMutableBytes { target in
            for (place, value) in found where value.dataType == type && value.count == 1 {
                value.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: target[(place * size)..<((place + 1) * size)]).copyBytes(
                        from: $0)
                }
            }
        }
        return [.tensor(result)]
    }
}

extension EvaluationContext {
    /// A map input's entries; the values are tensors of one element.
    func map(_ index: Int) throws -> [(key: Datum.MapKey, value: Tensor)] {
        guard has(index), case .map(let entries)? = inputs[index] else {
            throw SardonyxError(.invalidInput, "input \(index) must be a map")
        }
        return try entries.map { key, value in
            guard let tensor = value.tensor, tensor.count == 1 else {
                throw SardonyxError(.invalidInput, "the values of input \(index) must be single elements")
            }
            return (key, tensor)
        }
    }
}
