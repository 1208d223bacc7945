import CRegularExpressions
import SardonyxGraph

/// y[i…] = whether `pattern`, in RE2's syntax, matches all of x[i…].
///
/// <https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html>
enum RegexFullMatch: Operator {
    static let schema = Schema(
        "RegexFullMatch", versions: [20],
        inputs: [Parameter("X", "T1", [.string])],
        outputs: [Parameter("Y", "T2", [.bool])],
        attributes: [AttributeSpec("pattern", .string)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        _ = try Pattern(context.node)
        context.set(0, .bool, context.shape(0))
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let x = try context.tensor(0)
        let pattern = try Pattern(context.node)
        var y = try context.environment.allocate(.bool, x.shape)
        try y.withUnsafeMutableBytes { bytes in
            for (i, text) in x.strings.enumerated() {
                if i % 1024 == 0 { try context.environment.checkCancellation() }
                bytes[i] = try pattern.matchesAll(of: text) ? 1 : 0
            }
        }
        return [.tensor(y)]
    }

    /// A compiled pattern.
    private final class Pattern {
        private let compiled: OpaquePointer

        /// - Throws: `SardonyxError` (`invalidModel`) with RE2's reason.
        init(_ node: Node) throws(SardonyxError) {
            guard var text = node.string("pattern") else {
                throw SardonyxError(.invalidModel, "the attribute pattern is missing")
            }
            var message = [CChar](repeating: 0, count: Int(CRE_MESSAGE_SIZE))
            let compiled = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { cre_compile($0.baseAddress, $0.count, &message) }
            }
            guard let compiled else {
                throw SardonyxError(
                    .invalidModel,
                    "the pattern '\(text.prefix(200))' is not valid in RE2's syntax: \(String(cMessage: message))")
            }
            self.compiled = compiled
        }

        deinit { cre_free(compiled) }

        func matchesAll(of text: String) throws(SardonyxError) -> Bool {
            var text = text
            let result = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { cre_matches_all(compiled, $0.baseAddress, $0.count) }
            }
            if result < 0 { throw SardonyxError(.memory, "not enough memory to match \(text.utf8.count) bytes") }
            return result > 0
        }
    }

    static let examples = [
        Example(
            "all of the text, not a part", attributes: ["pattern": .string(#"[a-c]+\d?"#)],
            inputs: [Tensor(shape: [2, 2], strings: ["abc1", "abc12", "", "c"])],
            outputs: [Tensor(shape: [2, 2], scalars: [true, false, false, true])])
    ]
}
