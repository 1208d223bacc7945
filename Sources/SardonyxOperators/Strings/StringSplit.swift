import SardonyxGraph

/// y[i…, k] = the k-th part of x[i…] between delimiters, "" beyond the last; z[i…] = the number of parts.
///
/// Without a delimiter, parts lie between runs of white space, as Python's `split()` has them. At most `maxsplit` splits
/// are made, from the left; the last part holds the rest.
///
/// <https://onnx.ai/onnx/operators/onnx__StringSplit.html>
enum StringSplit: Operator {
    static let schema = Schema(
        "StringSplit", versions: [20],
        inputs: [Parameter("X", "T1", [.string])],
        outputs: [Parameter("Y", "T2", [.string]), Parameter("Z", "T3", [.int64])],
        attributes: [AttributeSpec("maxsplit", .int), AttributeSpec("delimiter", .string)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        context.set(0, .string, context.shape(0).map { $0 + [.unknown] })
        context.set(1, .int64, context.shape(0))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let limit = context.node.int("maxsplit").flatMap { $0 < 0 ? nil : $0 } ?? Int.max
        let delimiter = Array(context.node.string("delimiter", default: "").utf8)
        let parts = x.strings.map { delimiter.isEmpty ? words($0, limit) : split($0, delimiter, limit) }
        let width = parts.map(\.count).max() ?? 0
        var result = try context.environment.allocate(.string, x.shape + [width]).strings
        for (i, row) in parts.enumerated() {
            for (k, part) in row.enumerated() { result[i * width + k] = part }
        }
        return [
            .tensor(Tensor(shape: x.shape + [width], strings: result)),
            .tensor(Tensor(shape: x.shape, scalars: parts.map { Int64($0.count) })),
        ]
    }

    private static func split(_ text: String, _ delimiter: [UInt8], _ limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        var parts: [String] = []
        var start = 0
        var next = 0
        while parts.count < limit, next + delimiter.count <= bytes.count {
            if bytes[next..<(next + delimiter.count)].elementsEqual(delimiter) {
                parts.append(String(decoding: bytes[start..<next], as: UTF8.self))
                next += delimiter.count
                start = next
            } else {
                next += 1
            }
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    private static func words(_ text: String, _ limit: Int) -> [String] {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            // Python counts the four separators of ASCII among white space, Unicode does not.
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        var parts: [String] = []
        var rest = text.unicodeScalars.drop(while: isSpace)
        while !rest.isEmpty {
            if parts.count == limit { return parts + [String(rest)] }
            let word = rest.prefix { !isSpace($0) }
            parts.append(String(word))
            rest = rest[word.endIndex...].drop(while: isSpace)
        }
        return parts
    }

    static let examples = [
        Example(
            "at commas", attributes: ["delimiter": .string(",")], inputs: [Tensor(shape: [2], strings: ["a,b", "c"])],
            outputs: [Tensor(shape: [2, 2], strings: ["a", "b", "c", ""]), Tensor(integers: [2, 1])]),
        Example(
            "at white space, once", attributes: ["maxsplit": .int(1)],
            inputs: [Tensor(shape: [1], strings: ["  a b  c"])],
            outputs: [Tensor(shape: [1, 2], strings: ["a", "b  c"]), Tensor(integers: [2])]),
    ]
}
