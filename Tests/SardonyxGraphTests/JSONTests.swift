import SardonyxGraph
import Testing

@Suite struct JSONTests {
    /// A text, and what it becomes when it is parsed and printed; nil where it is no JSON.
    static let rows: [(String, String?)] = [
        ("{\"rtol\": 0.001, \"atol\": 1e-07}", "{\"rtol\": 0.001, \"atol\": 1e-07}"),
        (" [1,2 , -3.5e2, true,false,null ] ", "[1, 2, -350, true, false, null]"),
        ("\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\"", "\"é😀\\n\\\"\\\\\""),
        ("[]", "[]"), ("{}", "{}"), ("[[], {\"a\": [1]}]", "[[], {\"a\": [1]}]"),
        ("", nil), ("[1", nil), ("[1,]", nil), ("{\"a\" 1}", nil), ("{a: 1}", nil), ("1 2", nil), ("nul", nil),
        ("\"\\ud83d\"", nil), ("\"open", nil), ("-", nil), (String(repeating: "[", count: 1_000_000), nil),
    ]

    @Test(arguments: rows)
    func parses(text: String, expected: String?) {
        #expect(JSON(parsing: text)?.text == expected)
    }

    @Test func printsWhatJSONCannotSay() {
        #expect(JSON.array([.number(.nan), .number(-.infinity), .string("\u{1}")]).text == "[null, null, \"\\u0001\"]")
    }

    /// What the C library prints in locales of several points.
    @Test(arguments: [
        ("12.5", "12.5"), ("12,5", "12.5"), ("-1,25e-07", "-1.25e-07"), ("1\u{66B}5e+20", "1.5e+20"), ("7", "7"),
    ])
    func printsAPointInEveryLocale(printed: String, expected: String) {
        #expect(JSON.withPoint(Array(printed.utf8)) == expected)
    }

    @Test func printsALineAnElement() {
        let value = JSON.object([("a", .array([.int(1), .int(2)])), ("b", .object([("c", .null)]))])
        #expect(value.prettyText == "{\n  \"a\": [1, 2],\n  \"b\": {\n    \"c\": null\n  }\n}")
    }
}
