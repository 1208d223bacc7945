import Sardonyx
import SardonyxTestSupport
import Testing

/// Models of one operator whose attributes or constants ask for the impossible, as damaged files do.
@Suite struct HostileOperatorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let node: TestNode
        let constants: [TestTensor]
        /// x's shape.
        let input: [Int]
        /// The error of opening, planning or running; nil when the model runs.
        let code: SardonyxError.Code?
        var opset: Int64 = 22
        /// Inputs that no run gives, since opening refuses the model.
        var more: [TestValue] = []
        var after: [TestNode] = []
        var testDescription: String { title }
    }

    static let cases = [
        Case(
            title: "a range that ends before it begins, very far away",
            node: TestNode("Range", ["zero", "low", "one"], ["y"]),
            constants: [
                TestTensor("zero", dims: [], floats: [0]), TestTensor("low", dims: [], floats: [-3e38]),
                TestTensor("one", dims: [], floats: [1]),
            ], input: [1], code: nil),
        Case(
            title: "more reflections than a plan holds",
            node: TestNode("Pad", ["x", "pads"], ["y"], [("mode", .text("reflect"))]),
            constants: [TestTensor("pads", integers: [0, 1 << 20])], input: [2], code: .unsupported),
        Case(
            title: "the edge, a million times", node: TestNode("Pad", ["x", "pads"], ["y"], [("mode", .text("edge"))]),
            constants: [TestTensor("pads", integers: [0, 1 << 20])], input: [2], code: nil),
        Case(
            title: "bounds of strings, where opset 6 has attributes", node: TestNode("Clip", ["x", "text"], ["y"]),
            constants: [strings("text", ["a"])], input: [2], code: .invalidModel, opset: 6),
        Case(
            title: "no upper bound", node: TestNode("Clip", ["x", "one"], ["y"]),
            constants: [TestTensor("one", dims: [], floats: [1])], input: [3], code: nil),
        Case(
            title: "no scales for no elements",
            node: TestNode("QuantizeLinear", ["x", "none"], ["y"], [("axis", .int(0))]),
            constants: [TestTensor("none", dims: [0], floats: [])], input: [0], code: nil),
        Case(
            title: "an extent that overflows beside a zero", node: TestNode("Tile", ["x", "times"], ["y"]),
            constants: [TestTensor("times", integers: [0, 1 << 46])], input: [1, 1 << 10], code: .invalidModel),
        Case(
            title: "a scalar beside a matrix whose rank nobody knows, with a zero point for each row",
            node: TestNode("MatMulInteger", ["zero", "b", "zeros"], ["y"]),
            constants: [
                TestTensor("zero", dims: [], type: 2, raw: [1]), TestTensor("zeros", dims: [2], type: 2, raw: [1, 2]),
            ], input: [1], code: .invalidModel, more: [TestValue("b", nil, type: 2)]),
        Case(
            title: "a grid of no axes, whose size comes at run time",
            node: TestNode("AffineGrid", ["theta", "size"], ["y"]),
            constants: [TestTensor("theta", dims: [1, 2, 3], floats: [1, 0, 0, 0, 1, 0])], input: [1],
            code: .invalidModel, more: [TestValue("size", [0], type: 7)]),
        Case(
            title: "rows without number and nothing in them", node: TestNode("Softmax", ["endless"], ["y"]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: nil),
        Case(
            title: "parts without number and nothing in them",
            node: TestNode("SplitToSequence", ["endless"], ["parts"]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: .memory,
            after: [TestNode("SequenceLength", ["parts"], ["y"])]),
        Case(
            title: "slices without number and nothing in them",
            node: TestNode("Unique", ["endless"], ["y"], [("axis", .int(0))]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: .memory),
        Case(
            title: "no slices, of parts without number",
            node: TestNode("Unique", ["endless"], ["y"], [("axis", .int(1))]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: nil),
        Case(
            title: "no updates, in rows without number",
            node: TestNode("ScatterElements", ["data", "none", "endless"], ["y"]),
            constants: [
                TestTensor("data", dims: [2, 2], floats: [1, 2, 3, 4]),
                TestTensor("none", dims: [1 << 40, 0], type: 7, raw: []),
                TestTensor("endless", dims: [1 << 40, 0], floats: []),
            ], input: [1], code: nil),
        Case(
            title: "a linear classifier of rows without number and nothing in them",
            node: TestNode(
                "LinearClassifier", ["endless"], ["y", "scores"], domain: "ai.onnx.ml",
                [("coefficients", .floats([])), ("intercepts", .floats([1, 2])), ("classlabels_ints", .ints([1, 2]))]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: .memory),
        Case(
            title: "a support vector machine of rows without number and nothing in them",
            node: TestNode(
                "SVMClassifier", ["endless"], ["y", "scores"], domain: "ai.onnx.ml",
                [("coefficients", .floats([])), ("rho", .floats([1])), ("classlabels_ints", .ints([1]))]),
            constants: [TestTensor("endless", dims: [1 << 40, 0], floats: [])], input: [1], code: .memory),
        Case(
            title: "a kernel of fewer axes than the input has",
            node: TestNode("Conv", ["image", "w"], ["y"], [("kernel_shape", .ints([3]))]), constants: [], input: [1],
            code: .invalidModel, more: [TestValue("image", [1, 2, 5, 5]), TestValue("w", nil)]),
        Case(
            title: "the least integer as an axis", node: TestNode("Softmax", ["x"], ["y"], [("axis", .int(.min))]),
            constants: [], input: [2], code: .invalidModel),
    ]

    private static func strings(_ name: String, _ values: [String]) -> TestTensor {
        var tensor = TestTensor(name, dims: [], type: 8, raw: nil)
        tensor.strings = values
        return tensor
    }

    @Test(arguments: cases, [true, false])
    func neverTraps(_ test: Case, isStatic: Bool) throws {
        let dims = test.input.enumerated().map { axis, extent -> TestValue.Dim in
            isStatic ? .extent(Int64(extent)) : .name("d\(axis)")
        }
        let bytes = modelBytes(
            TestGraph(
                nodes: [test.node] + test.after + [TestNode("Identity", ["x"], ["same"])],
                inputs: [TestValue("x", dims)] + test.more,
                outputs: [TestValue("y", nil), TestValue("same", nil)], initializers: test.constants),
            opsets: [("", test.opset), ("ai.onnx.ml", 4)])
        do {
            let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
            let outputs = try session.run(["x": Tensor(dataType: .float, shape: test.input)])
            #expect(test.code == nil && outputs["y"] != nil)
        } catch let error as SardonyxError {
            #expect(error.code == test.code, "\(error)")
        }
    }

    /// A plan for a result of gigabytes takes no memory of that size.
    @Test func plansTakeNoTables() throws {
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode("AffineGrid", ["x", "size"], ["y"])], inputs: [TestValue("x", [1, 2, 3])],
                outputs: [TestValue("y", nil)], initializers: [TestTensor("size", integers: [1, 1, 1, 1 << 28])]))
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        #expect(try session.plan(for: ["x": [1, 2, 3]]).peakMemory.byteCount < 1 << 20)
    }
}
