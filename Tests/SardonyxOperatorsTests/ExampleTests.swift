import SardonyxGraph
import Testing

@testable import SardonyxOperators

/// Every example that an operator's file gives is run. `Tools/test` runs this suite under every cap of the instruction set
/// in a process of its own: a cap that changed inside this one would meet weights packed under another.
@Suite struct ExampleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: any Operator.Type
        let example: Example
        var testDescription: String { "\(type.schema.qualifiedName): \(example.title)" }
    }

    static let cases = OperatorRegistry.engine.all.flatMap { type in
        type.examples.map { Case(type: type, example: $0) }
    }

    @Test func thereAreExamples() {
        #expect(!Self.cases.isEmpty)
    }

    @Test(arguments: cases)
    func example(_ test: Case) throws {
        let results = try Self.evaluate(test)
        for (index, expected) in test.example.outputs.enumerated() {
            guard let expected else { continue }
            let result = try #require(results[index]?.tensor)
            #expect(result.spec == expected.spec)
            #expect(result.differs(from: expected, tolerance: test.example.tolerance) == nil)
        }
    }

    /// Inference with symbols in place of extents must agree with the concrete result in rank, type and known extents.
    @Test(arguments: cases)
    func symbolicInference(_ test: Case) throws {
        let node = Self.node(test)
        let inputs = test.example.inputs
        for hidesShapes in [false, true] {
            var context = InferenceContext(
                node: node,
                inputs: inputs.enumerated().map { index, tensor in
                    tensor.map {
                        hidesShapes
                            ? .tensor($0.dataType, nil)
                            : .tensor($0.dataType, $0.shape.indices.map { .symbol("d\(index)_\($0)") })
                    }
                }, constantOf: { _ in nil })
            try test.type.infer(&context)
            for (type, expected) in zip(context.outputs, test.example.outputs) {
                guard let expected else { continue }
                if let element = type.dataType { #expect(element == expected.dataType) }
                if let shape = type.shape {
                    #expect(shape.count == expected.shape.count)
                    for (dimension, extent) in zip(shape, expected.shape) {
                        if let value = dimension.value { #expect(value == extent) }
                    }
                }
            }
        }
    }

    static func node(_ test: Case) -> Node {
        Node(
            test.type.schema.name, domain: test.type.schema.domain, opset: 28,
            inputs: test.example.inputs.indices.map { test.example.inputs[$0] == nil ? nil : ValueID($0) },
            outputs: test.example.outputs.indices.map { test.example.outputs[$0] == nil ? nil : ValueID(1000 + $0) },
            attributes: test.example.attributes)
    }

    static func evaluate(_ test: Case) throws -> [Datum?] {
        try test.type.evaluate(
            EvaluationContext(
                node: node(test), inputs: test.example.inputs.map { $0.map(Datum.tensor) },
                outputTypes: test.example.outputs.map { _ in .unknown }, environment: PlainEnvironment(),
                operatorType: test.type))
    }
}

extension Tensor {
    /// The first difference in words, or nil when |a − b| ≤ tolerance · (1 + |b|) everywhere.
    func differs(from other: Tensor, tolerance: Double) -> String? {
        if dataType == .string { return strings == other.strings ? nil : "\(strings) ≠ \(other.strings)" }
        if let a = doubles, let b = other.doubles {
            for (index, (x, y)) in zip(a, b).enumerated() {
                if x == y || (x.isNaN && y.isNaN) { continue }
                if !(abs(x - y) <= tolerance * (1 + abs(y))) { return "element \(index): \(x) ≠ \(y)" }
            }
            return nil
        }
        let same = withUnsafeBytes { mine in other.withUnsafeBytes { mine.elementsEqual($0) } }
        return same ? nil : "the bytes differ"
    }
}
