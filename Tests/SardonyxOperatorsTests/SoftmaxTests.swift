import SardonyxGraph
import Testing

@testable import SardonyxOperators

/// Softmax of half types over long axes, where a sum could lose its terms.
@Suite struct SoftmaxTests {
    @Test(arguments: ["Softmax", "LogSoftmax"])
    func manySmallTermsBesideALargeOne(_ name: String) throws {
        let count = 100_000
        // e^-16.7 each: together 0.0056, which is less than the last digit of 1 in single precision one by one.
        let x = Tensor(shape: [1, count], scalars: [0] + [Float16](repeating: -16.7, count: count - 1))
        let type: any Operator.Type = name == "Softmax" ? Softmax.self : LogSoftmax.self
        let node = Node(name, opset: 13, inputs: [ValueID(0)], outputs: [ValueID(1)])
        let results = try type.evaluate(
            EvaluationContext(
                node: node, inputs: [.tensor(x)], outputTypes: [.unknown], environment: PlainEnvironment(),
                operatorType: type))
        let first = try #require(results[0]?.tensor?.scalars(Float16.self).first)
        #expect(name == "Softmax" ? (0.993...0.996).contains(first) : (-0.0066 ... -0.0045).contains(first))
    }
}
