import Sardonyx
import SardonyxTestModels
import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// What a loaded model tells for a first pipeline.
struct ModelDescriptionTests {
    @Test func shapesAndLastOperators() throws {
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode("Sigmoid", ["image"], ["p"]), TestNode("Identity", ["p"], ["mask"]),
                    TestNode("Relu", ["image"], ["features"]),
                ], inputs: [TestValue("image", ["N", 1, "H", 8])],
                outputs: [TestValue("mask", ["N", 1, "H", 8]), TestValue("features", ["N", 1, "H", 8])]))
        let model = ModelDescription(try bytes.withUnsafeBytes { try Model(bytes: $0) })
        #expect(model.inputs.map(\.name) == ["image"] && model.inputs[0].type == "float")
        #expect(model.inputs[0].shape == [.named("N"), .fixed(1), .named("H"), .fixed(8)])
        #expect(model.outputs.map(\.lastOperator) == ["Sigmoid", "Relu"])
        #expect(try Pipeline.draft(of: model, name: "x").pipeline.output.decision == .threshold(0.5))
    }
}
