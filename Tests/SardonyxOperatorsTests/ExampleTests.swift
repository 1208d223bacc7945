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
        try test.type.check(test.example)
    }

    /// Inference with symbols in place of extents must agree with the concrete result in rank, type and known extents.
    @Test(arguments: cases)
    func symbolicInference(_ test: Case) throws {
        let node = test.type.node(for: test.example)
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
}
