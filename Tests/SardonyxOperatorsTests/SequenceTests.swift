import SardonyxGraph
import Testing

@testable import SardonyxOperators

@Suite struct SequenceTests {
    private static let numbers = Datum.sequence((0..<3).map { .tensor(Tensor(Float($0))) })

    private func run(
        _ type: any Operator.Type, _ attributes: [String: Attribute] = [:], _ inputs: [Datum?]
    ) throws -> Datum? {
        let node = Node(
            type.schema.name, inputs: inputs.map { _ in nil }, outputs: [nil], attributes: attributes)
        return try type.evaluate(
            EvaluationContext(
                node: node, inputs: inputs, outputTypes: [.unknown], environment: PlainEnvironment(),
                operatorType: type))[0]
    }

    private func elements(_ datum: Datum?) throws -> [Tensor] {
        guard case .sequence(let elements)? = datum else { throw SardonyxError(.invalidInput, "no sequence") }
        return elements.compactMap(\.tensor)
    }

    @Test func positionsCountFromBothEnds() throws {
        #expect(
            try run(SequenceAt.self, [:], [Self.numbers, .tensor(Tensor(-1 as Int64))])?.tensor?.scalars() == [
                2 as Float
            ])
        let rest = try elements(run(SequenceErase.self, [:], [Self.numbers, .tensor(Tensor(-3 as Int32))]))
        #expect(rest.map { $0.scalars(Float.self)[0] } == [1, 2])
        let more = try elements(
            run(SequenceInsert.self, [:], [Self.numbers, .tensor(Tensor(9 as Float)), .tensor(Tensor(-1 as Int64))]))
        #expect(more.map { $0.scalars(Float.self)[0] } == [0, 1, 9, 2])
    }

    @Test(arguments: [3, -4] as [Int64])
    func positionsOutsideAreRefused(position: Int64) {
        #expect(throws: SardonyxError.self) {
            try run(SequenceAt.self, [:], [Self.numbers, .tensor(Tensor(position))])
        }
        #expect(throws: SardonyxError.self) {
            try run(SequenceErase.self, [:], [Self.numbers, .tensor(Tensor(position))])
        }
    }

    @Test func otherElementTypesAreRefused() {
        #expect(throws: SardonyxError.self) {
            try run(SequenceInsert.self, [:], [Self.numbers, .tensor(Tensor(1 as Int32))])
        }
        #expect(throws: SardonyxError.self) {
            try run(SequenceConstruct.self, [:], [.tensor(Tensor(1 as Int32)), .tensor(Tensor(1 as Float))])
        }
    }

    @Test func stringsAreSplitAndJoined() throws {
        let letters = Tensor(shape: [2, 3], strings: ["a", "b", "c", "d", "e", "f"])
        let split = try run(
            SplitToSequence.self, ["axis": .int(1)], [.tensor(letters), .tensor(Tensor(2 as Int64))])
        #expect(try elements(split).map(\.strings) == [["a", "b", "d", "e"], ["c", "f"]])
        let joined = try run(ConcatFromSequence.self, ["axis": .int(-1)], [split])
        #expect(joined?.tensor?.strings == letters.strings)
        #expect(joined?.tensor?.shape == [2, 3])
    }

    @Test func newAxesStack() throws {
        let stacked = try run(ConcatFromSequence.self, ["axis": .int(0), "new_axis": .int(1)], [Self.numbers])
        #expect(stacked?.tensor?.shape == [3])
        #expect(throws: SardonyxError.self) { try run(ConcatFromSequence.self, ["axis": .int(0)], [.sequence([])]) }
    }

    @Test func emptyOptionalsHoldNothing() {
        #expect(throws: SardonyxError.self) { try run(OptionalGetElement.self, [:], [.optional(nil)]) }
    }

    @Test func valuesAreNestedToALimit() throws {
        var value: Datum? = .tensor(Tensor(1 as Float))
        for depth in 0..<64 {
            value =
                try depth % 2 == 0
                ? run(OptionalOperator.self, [:], [value]) : run(SequenceConstruct.self, [:], [value])
        }
        #expect(throws: SardonyxError.self) { try run(OptionalOperator.self, [:], [value]) }
        #expect(throws: SardonyxError.self) { try run(SequenceConstruct.self, [:], [value]) }
        #expect(throws: SardonyxError.self) { try run(SequenceInsert.self, [:], [.sequence([]), value]) }
    }
}
