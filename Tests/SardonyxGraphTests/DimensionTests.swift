import SardonyxGraph
import Testing

@Suite struct DimensionTests {
    static let n = Dimension.symbol("N")
    static let big = Dimension.fixed(.max)
    static let results: [(Dimension, String)] = [
        (.fixed(6) + .fixed(7), "13"), (n + .fixed(0), "N"), (n + .fixed(2), "(N+2)"), (n - n, "0"),
        (.fixed(7) / .fixed(2), "3"), (.fixed(-7) / .fixed(2), "-4"), (n / n, "1"), (n * .fixed(1), "N"),
        (n * .fixed(0), "0"), (.unknown + .fixed(1), "?"), (big + .fixed(1), "?"), (big * .fixed(2), "?"),
        (.fixed(1) / .fixed(0), "?"), (.fixed(.min) - .fixed(1), "?"),
    ]

    @Test(arguments: results)
    func arithmetic(result: Dimension, expected: String) {
        #expect(result.description == expected)
    }

    @Test(
        arguments: [
            ([2, 3], [3], [2, 3]), ([1], [], [1]), ([4, 1, 5], [3, 1], [4, 3, 5]), ([0], [1], [0]),
        ] as [([Int], [Int], [Int])])
    func broadcasting(a: [Int], b: [Int], expected: [Int]) throws {
        #expect(try broadcast(SymbolicShape(a), SymbolicShape(b)).fixed == expected)
    }

    @Test func broadcastingKeepsNames() throws {
        let shape = try broadcast([.symbol("N"), .fixed(3)], [.fixed(1), .fixed(3)])
        #expect(shape.text == "[N, 3]")
        #expect(throws: SardonyxError.self) { try broadcast([.fixed(2)], [.fixed(3)]) }
    }

    @Test(
        arguments: [
            ([], 1), ([2, 3], 6), ([0, 1 << 40], 0), ([0, .max], nil), ([0, .max, .max], nil), ([.max, 2], nil),
            ([-1], nil),
            ([1 << 31, 1 << 31, 4], nil),
        ] as [([Int], Int?)])
    func elementCount(shape: [Int], expected: Int?) {
        #expect(shape.checkedElementCount == expected)
    }
}
