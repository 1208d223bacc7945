import CRegularExpressions
import SardonyxGraph
import Testing

@testable import SardonyxOperators

/// Against Python's binding of RE2.
@Suite struct RegexFullMatchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let pattern: String
        let texts: [String: Bool]
        var testDescription: String { pattern }

        init(_ pattern: String, _ texts: [String: Bool]) {
            self.pattern = pattern
            self.texts = texts
        }
    }

    static let cases = [
        Case(
            #"www\.[\w.-]+\.\bcom\b"#,
            ["www.google.com": true, "www.bbc.co.uk": false, "xwww.google.com": false]),
        Case("", ["": true, "a": false]),
        Case("a|ab", ["a": true, "ab": true, "abc": false]),
        // A matcher that goes back would need 2⁴⁰ steps.
        Case("(a+)+", ["aaaa": true, String(repeating: "a", count: 40) + "b": false]),
        Case("(?i)ÄÖ", ["äö": true, "ÄÖ": true, "ao": false]),
        // One code point, not one letter as it is shown.
        Case(".", ["é": true, "\n": false, "日": true, "🙂": true]),
        Case(".", ["e\u{301}": false]),
        Case("(?s).", ["\n": true]),
        Case(#"\p{Greek}+"#, ["αβγ": true, "abc": false]),
        Case(#"\d+"#, ["123": true, "١٢٣": false]),
        Case("^a$", ["a": true, "a\n": false]),
        Case("(?m)^a$", ["a": true, "a\nb": false]),
        Case(#"\x{1F642}"#, ["🙂": true, "🙃": false]),
        Case("[^a]", ["b": true, "é": true, "a": false, "": false]),
        Case(#"\Qa.b\E"#, ["a.b": true, "axb": false]),
        Case("a{2,3}", ["a": false, "aa": true, "aaa": true, "aaaa": false]),
        Case("a\0b", ["a\0b": true, "ab": false]),
        Case(
            #"(\W|^)[\w.\-]{0,25}@(yahoo|gmail)\.com(\W|$)"#,
            ["account@gmail.com": true, "account@hotmail.com": false, " x@yahoo.com!": true]),
        Case("\u{FFFD}", ["\u{FFFD}": true, "x": false]),
    ]

    private func match(_ pattern: String?, _ texts: [String], shape: [Int]) throws -> Tensor {
        let node = Node(
            "RegexFullMatch", inputs: [nil], outputs: [nil], attributes: pattern.map { ["pattern": .string($0)] } ?? [:]
        )
        let result = try RegexFullMatch.evaluate(
            EvaluationContext(
                node: node, inputs: [.tensor(Tensor(shape: shape, strings: texts))], outputTypes: [.unknown],
                environment: PlainEnvironment(), operatorType: RegexFullMatch.self))
        return try #require(result[0]?.tensor)
    }

    @Test(arguments: cases)
    func matches(_ test: Case) throws {
        let texts = test.texts.keys.sorted()
        let result = try match(test.pattern, texts, shape: [1, texts.count])
        #expect(result.shape == [1, texts.count])
        #expect(result.scalars(Bool.self) == texts.map { test.texts[$0]! })
    }

    @Test func nothingMatchesNothing() throws {
        #expect(try match("a", [], shape: [2, 0]).spec == TensorSpec(dataType: .bool, shape: [2, 0]))
        #expect(try match("a", ["a"], shape: []).scalars(Bool.self) == [true])
    }

    /// Also before any text is there: when the model is opened.
    @Test(arguments: [
        ("(", "missing ): ("), ("a**", "bad repetition operator: **"), ("[z-a]", "invalid character class range: z-a"),
        (#"\8"#, #"invalid escape sequence: \8"#), ("x{1001}", "invalid repetition size: {1001}"),
        (#"(a)\1"#, #"invalid escape sequence: \1"#), ("(?=a)", "invalid perl operator: (?="), (")", "unexpected ): )"),
        ("[a", "missing ]: [a"), ("\\", #"trailing \"#), (#"\pX"#, #"invalid character class range: \pX"#),
        ("((x{30}){30}){30}", "invalid repetition size: {30}"), (#"((\pL{10}){10}){10}"#, "pattern too large"),
    ])
    func invalidPatternsHaveAReason(pattern: String, reason: String) throws {
        let error = try #require(#expect(throws: SardonyxError.self) { try match(pattern, [], shape: [0]) })
        #expect(error.code == .invalidModel)
        #expect(error.message.contains(pattern) && error.message.contains(reason), "\(error)")
        var context = InferenceContext(
            node: Node("RegexFullMatch", inputs: [nil], outputs: [nil], attributes: ["pattern": .string(pattern)]),
            inputs: [nil], constantOf: { _ in nil })
        #expect(throws: SardonyxError.self) { try RegexFullMatch.infer(&context) }
    }

    @Test func aPatternIsRequired() {
        #expect(throws: SardonyxError.self) { try match(nil, ["a"], shape: [1]) }
    }

    /// A model's text is repaired when it is read; the border below takes any bytes.
    @Test func invalidUTF8() {
        var message = [CChar](repeating: 0, count: Int(CRE_MESSAGE_SIZE))
        let invalid = [CChar(bitPattern: 0xFF)]
        #expect(cre_compile(invalid, 1, &message) == nil)
        #expect(String(cMessage: message) == "invalid UTF-8")
        for (pattern, expected) in [(".", 0), ("(?s).*", 0), (#"\C"#, 1), ("[^a]", 0)] as [(String, Int32)] {
            let compiled = cre_compile(pattern, pattern.utf8.count, &message)
            #expect(compiled != nil)
            #expect(cre_matches_all(compiled, invalid, 1) == expected, "\(pattern)")
            cre_free(compiled)
        }
    }
}
