import SardonyxGraph

/// y = x without the elements that are stop words, then in lower or upper case.
///
/// x is [C] or [1, C]. Where every element goes, y is one empty string. Case is changed as Unicode defines it, in no
/// particular language; `locale` is not used.
///
/// <https://onnx.ai/onnx/operators/onnx__StringNormalizer.html>
enum StringNormalizer: Operator {
    static let schema = Schema(
        "StringNormalizer", versions: [10],
        inputs: [Parameter("X", "tensor(string)", [.string])],
        outputs: [Parameter("Y", "tensor(string)", [.string])],
        attributes: [
            AttributeSpec("stopwords", .strings), AttributeSpec("locale", .string),
            AttributeSpec("is_case_sensitive", .int), AttributeSpec("case_change_action", .string),
        ])

    static let execution = Execution.dynamic

    private enum CaseChange: String {
        case none = "NONE"
        case lower = "LOWER"
        case upper = "UPPER"

        init(_ node: Node) throws {
            let name = node.string("case_change_action", default: "NONE")
            guard let change = CaseChange(rawValue: name) else {
                throw SardonyxError(.invalidModel, "case_change_action is '\(name)'; it must be LOWER, UPPER or NONE")
            }
            self = change
        }

        func apply(_ text: String) -> String {
            switch self {
            case .none: text
            case .lower: text.lowercased()
            case .upper: text.uppercased()
            }
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        _ = try CaseChange(context.node)
        try context.requireRank(0, 1...2, "X")
        guard let shape = context.shape(0) else { return context.set(0, .string, nil) }
        if shape.count == 2 { _ = try shape[0].agreeing(with: .fixed(1), "X must be [C] or [1, C]") }
        let keepsAll = context.node.strings("stopwords")?.isEmpty ?? true
        context.set(
            0, .string, shape.dropLast() + [keepsAll && shape.last?.value ?? 0 > 0 ? shape[shape.count - 1] : .unknown])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        guard x.shape.count == 1 || x.shape.count == 2 && x.shape[0] == 1 else {
            throw SardonyxError(.invalidInput, "X is \(x.shape); it must be [C] or [1, C]")
        }
        let change = try CaseChange(context.node)
        let isExact = context.node.flag("is_case_sensitive")
        // Any one case does for a comparison that disregards it.
        func key(_ text: String) -> ExactString { ExactString(isExact ? text : text.lowercased()) }
        let stopWords = Set((context.node.strings("stopwords") ?? []).map(key))
        var kept = x.strings
        if !stopWords.isEmpty { kept.removeAll { stopWords.contains(key($0)) } }
        if kept.isEmpty { kept = [""] }
        let shape = x.shape.count == 1 ? [kept.count] : [1, kept.count]
        return [.tensor(Tensor(shape: shape, strings: kept.map(change.apply)))]
    }

    static let examples = [
        Example(
            "stop words in any case",
            attributes: ["stopwords": .strings(["monday"]), "case_change_action": .string("UPPER")],
            inputs: [Tensor(shape: [3], strings: ["Monday", "tuesday", "x"])],
            outputs: [Tensor(shape: [2], strings: ["TUESDAY", "X"])]),
        Example(
            "nothing is left", attributes: ["stopwords": .strings(["a"]), "is_case_sensitive": .int(1)],
            inputs: [Tensor(shape: [1, 1], strings: ["a"])], outputs: [Tensor(shape: [1, 1], strings: [""])]),
    ]
}
