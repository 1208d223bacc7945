import Sardonyx
import SardonyxTestSupport
import Testing

/// Tensors without elements. ONNX has no rule of its own for them: an output's shape follows from the inputs' as ever, and a
/// sum, product, maximum over nothing is 0, 1, the least value, as in numpy.
@Suite struct ZeroSizeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        let node: TestNode
        var constants: [TestTensor] = []
        /// x's shape; its elements are 1, 2, 3 …
        let input: [Int]
        let shape: [Int]
        /// The elements of y; nil when there is an error instead.
        var values: [Float]? = []
        var code: SardonyxError.Code?
        var testDescription: String { title }

        init(
            _ title: String, _ type: String, _ inputs: [String] = ["x"], _ attributes: [(String, TestAttribute)] = [],
            constants: [TestTensor] = [], of input: [Int], gives shape: [Int] = [], _ values: [Float]? = [],
            code: SardonyxError.Code? = nil
        ) {
            self.title = "\(type): \(title)"
            node = TestNode(type, inputs, ["y"], attributes)
            self.constants = constants
            self.input = input
            self.shape = shape
            self.values = values
            self.code = code
        }
    }

    private static func floats(_ name: String, _ dims: [Int64], _ value: Float = 1) -> TestTensor {
        TestTensor(name, dims: dims, floats: [Float](repeating: value, count: Int(dims.reduce(1, *))))
    }
    private static func integers(_ name: String, _ values: Int64...) -> TestTensor {
        TestTensor(name, integers: values)
    }
    private static let window: [(String, TestAttribute)] = [("kernel_shape", .ints([2, 2]))]

    static let cases = [
        Case(
            "no images", "Conv", ["x", "w", "b"], constants: [floats("w", [16, 8, 3, 3]), floats("b", [16])],
            of: [0, 8, 9, 9], gives: [0, 16, 7, 7]),
        Case(
            "no output channels", "Conv", ["x", "w"], constants: [floats("w", [0, 2, 1, 1])], of: [1, 2, 3, 3],
            gives: [1, 0, 3, 3]),
        Case(
            "a row of no pixels", "Conv", ["x", "w"], constants: [floats("w", [1, 1, 1, 1])], of: [1, 1, 4, 0],
            gives: [1, 1, 4, 0]),
        Case(
            "nothing but pads", "Conv", ["x", "w", "b"], [("pads", .ints([1, 1, 1, 1]))],
            constants: [floats("w", [1, 1, 2, 2]), floats("b", [1], 5)], of: [1, 1, 1, 0], gives: [1, 1, 2, 1], [5, 5]),
        Case(
            "no images", "ConvTranspose", ["x", "w"], [("strides", .ints([2, 2]))],
            constants: [floats("w", [8, 8, 2, 2])], of: [0, 8, 3, 3], gives: [0, 8, 6, 6]),
        Case("no rows", "MatMul", ["x", "w"], constants: [floats("w", [3, 4])], of: [0, 3], gives: [0, 4]),
        Case("no columns", "MatMul", ["x", "w"], constants: [floats("w", [3, 0])], of: [2, 3], gives: [2, 0]),
        Case(
            "sums of nothing", "MatMul", ["x", "w"], constants: [floats("w", [0, 3])], of: [2, 0], gives: [2, 3],
            [0, 0, 0, 0, 0, 0]),
        Case(
            "no matrices", "MatMul", ["x", "w"], constants: [floats("w", [3, 4])], of: [0, 2, 3], gives: [0, 2, 4]),
        Case(
            "sums of nothing and a bias", "Gemm", ["x", "w", "b"],
            constants: [floats("w", [0, 2]), TestTensor("b", dims: [2], floats: [3, 4])], of: [2, 0], gives: [2, 2],
            [3, 4, 3, 4]),
        Case(
            "nothing first", "Concat", ["x", "w"], [("axis", .int(1))], constants: [floats("w", [2, 2], 7)],
            of: [2, 0], gives: [2, 2], [7, 7, 7, 7]),
        Case(
            "no channels in the middle", "Concat", ["w", "x", "w"], [("axis", .int(1))],
            constants: [floats("w", [1, 8, 1, 1], 3)], of: [1, 0, 1, 1], gives: [1, 16, 1, 1],
            [Float](repeating: 3, count: 16)),
        Case("nothing at all", "Concat", ["x", "x"], [("axis", .int(0))], of: [0, 3], gives: [0, 3]),
        Case(
            "no images", "Resize", ["x", "", "scales"], constants: [floats("scales", [4], 2)], of: [0, 8, 2, 2],
            gives: [0, 16, 4, 4]),
        Case(
            "to no pixels", "Resize", ["x", "", "", "sizes"], constants: [integers("sizes", 1, 1, 0, 2)],
            of: [1, 1, 2, 2], gives: [1, 1, 0, 2]),
        Case(
            "pixels of nothing", "Resize", ["x", "", "", "sizes"], constants: [integers("sizes", 1, 1, 2, 2)],
            of: [1, 1, 0, 2], code: .invalidModel),
        Case("no images", "MaxPool", ["x"], window, of: [0, 8, 4, 4], gives: [0, 8, 3, 3]),
        Case("no channels", "AveragePool", ["x"], window, of: [1, 0, 4, 4], gives: [1, 0, 3, 3]),
        Case("no rows", "MaxPool", ["x"], window, of: [1, 8, 0, 4], gives: [1, 8, 0, 3]),
        Case("no images", "GlobalAveragePool", of: [0, 8, 4, 4], gives: [0, 8, 1, 1]),
        Case("the mean of nothing", "GlobalAveragePool", of: [1, 2, 0, 4], gives: [1, 2, 1, 1], [.nan, .nan]),
        Case("no rows", "Softmax", of: [0, 4], gives: [0, 4]),
        Case("rows of nothing", "Softmax", of: [2, 0], gives: [2, 0]),
        Case(
            "the mean of nothing", "ReduceMean", ["x", "axes"], constants: [integers("axes", 1)], of: [2, 0],
            gives: [2, 1], [.nan, .nan]),
        Case(
            "the sum of nothing", "ReduceSum", ["x", "axes"], constants: [integers("axes", 1)], of: [2, 0],
            gives: [2, 1], [0, 0]),
        Case(
            "the product of nothing", "ReduceProd", ["x", "axes"], constants: [integers("axes", 0)], of: [0, 2],
            gives: [1, 2], [1, 1]),
        Case(
            "the largest of nothing", "ReduceMax", ["x", "axes"], constants: [integers("axes", 1)], of: [1, 0],
            gives: [1, 1], [-.infinity]),
        Case(
            "the least of nothing", "ReduceMin", ["x", "axes"], constants: [integers("axes", 1)], of: [1, 0],
            gives: [1, 1], [.infinity]),
        Case("no sums", "ReduceSum", ["x", "axes"], constants: [integers("axes", 0)], of: [2, 0], gives: [1, 0]),
        Case("no rows", "LayerNormalization", ["x", "w"], constants: [floats("w", [4])], of: [0, 4], gives: [0, 4]),
        Case(
            "no images", "InstanceNormalization", ["x", "w", "w"], constants: [floats("w", [8])], of: [0, 8, 2, 2],
            gives: [0, 8, 2, 2]),
        Case(
            "no images", "BatchNormalization", ["x", "w", "w", "w", "w"], constants: [floats("w", [8])],
            of: [0, 8, 2, 2], gives: [0, 8, 2, 2]),
        Case("beside one", "Add", ["x", "w"], constants: [floats("w", [3, 1])], of: [1, 0], gives: [3, 0]),
        Case("elements", "Relu", of: [0], gives: [0]),
        Case("axes turned", "Transpose", ["x"], [("perm", .ints([1, 0, 2]))], of: [2, 0, 3], gives: [0, 2, 3]),
        Case(
            "a border around nothing", "Pad", ["x", "pads"], constants: [integers("pads", 1, 0, 1, 0)], of: [0, 2],
            gives: [2, 2], [0, 0, 0, 0]),
        Case(
            "nothing left", "Slice", ["x", "from", "to"], constants: [integers("from", 2), integers("to", 1)],
            of: [4], gives: [0]),
        Case(
            "no picks", "Gather", ["x", "w"], constants: [TestTensor("w", integers: [])], of: [3, 2], gives: [0, 2]),
        Case(
            "a zero kept", "Reshape", ["x", "shape"], [("allowzero", .int(1))], constants: [integers("shape", 0, 4)],
            of: [2, 0], gives: [0, 4]),
        Case("no copies", "Tile", ["x", "times"], constants: [integers("times", 0, 2)], of: [2, 2], gives: [0, 4]),
        Case("no rows", "Expand", ["x", "shape"], constants: [integers("shape", 0, 3)], of: [1, 3], gives: [0, 3]),
    ]

    @Test(arguments: cases, [true, false])
    func follows(_ test: Case, optimizes: Bool) throws {
        // Extents that the model leaves open: nothing is folded, and the plan meets the zero first.
        let dims = test.input.indices.map { TestValue.Dim.name("d\($0)") }
        let bytes = modelBytes(
            TestGraph(
                nodes: [test.node], inputs: [TestValue("x", dims)], outputs: [TestValue("y", nil)],
                initializers: test.constants), opsets: [("", 22)])
        var options = Session.Options()
        options.optimizes = optimizes
        let count = test.input.reduce(1, *)
        let x = Tensor(shape: test.input, scalars: (0..<count).map { Float($0 + 1) })
        do {
            let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }, options: options)
            let y = try #require(try session.run(["x": x])["y"])
            #expect(test.code == nil)
            #expect(y.shape == test.shape)
            #expect(y.scalars(Float.self).map(\.description) == test.values?.map(\.description))
        } catch let error as SardonyxError {
            #expect(error.code == test.code, "\(error)")
        }
    }
}
