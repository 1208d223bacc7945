import Sardonyx
import SardonyxTestSupport
import Testing

/// Strides, dilations and pads that no image is wide enough for. Up to 2³¹ − 1, those that leave the window where it is give
/// the right output; larger ones, and those for which no memory would do, give an error.
@Suite struct FarWindowTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: String
        let attributes: [(String, TestAttribute)]
        /// The elements of y for x = 1 … 16 of [1, 1, 4, 4] and weights of ones; nil where there is an error.
        let values: [Float]?
        var testDescription: String { "\(type) \(attributes)" }

        init(_ type: String, _ values: [Float]?, _ attributes: (String, [Int64])...) {
            let isTooFar = attributes.contains { $0.1.contains { $0 >= 1 << 31 } }
            self.type = type
            self.attributes = attributes.map { ($0, .ints($1)) }
            self.values = isTooFar ? nil : values
        }
    }

    static let far: [Int64] = [(1 << 31) - 1, 1 << 31, 1 << 40, 1 << 62, .max]

    static let cases = far.flatMap { far in
        [
            // One window at the origin: the elements 1, 2, 5, 6.
            Case("Conv", [14], ("kernel_shape", [2, 2]), ("strides", [4, far])),
            Case("MaxPool", [6], ("kernel_shape", [2, 2]), ("strides", [far, far])),
            Case("AveragePool", [3.5], ("kernel_shape", [2, 2]), ("strides", [far, far])),
            Case("LpPool", [Float(1 + 4 + 25 + 36).squareRoot()], ("kernel_shape", [2, 2]), ("strides", [far, far])),
            Case("Conv", [14, 22], ("kernel_shape", [2, 2]), ("strides", [far, 2])),
            // A window of one element does not grow.
            Case("Conv", (1...16).map(Float.init), ("kernel_shape", [1, 1]), ("dilations", [far, far])),
            Case("MaxPool", (1...16).map(Float.init), ("kernel_shape", [1, 1]), ("dilations", [far, far])),
            Case("Conv", nil, ("kernel_shape", [2, 2]), ("dilations", [far, far])),
            Case("MaxPool", nil, ("kernel_shape", [2, 2]), ("dilations", [far, 1])),
            Case("AveragePool", nil, ("kernel_shape", [2, 2]), ("dilations", [1, far])),
            Case("Conv", nil, ("kernel_shape", [2, 2]), ("pads", [far, far, far, far])),
            Case("MaxPool", nil, ("kernel_shape", [2, 2]), ("pads", [far, far, far, far])),
            Case("AveragePool", nil, ("kernel_shape", [2, 2]), ("pads", [far, far, far, far])),
            Case("AveragePool", nil, ("kernel_shape", [far, far])),
            Case("MaxPool", nil, ("kernel_shape", [far, 1])),
            Case("ConvTranspose", nil, ("kernel_shape", [2, 2]), ("strides", [far, far])),
            Case("ConvTranspose", nil, ("kernel_shape", [2, 2]), ("dilations", [far, far])),
            Case("ConvTranspose", nil, ("kernel_shape", [2, 2]), ("pads", [far, far, far, far])),
            Case("ConvTranspose", nil, ("kernel_shape", [2, 2]), ("output_padding", [far, far])),
            Case("ConvTranspose", nil, ("kernel_shape", [2, 2]), ("output_shape", [far, far])),
        ]
    }

    @Test(arguments: cases, [true, false])
    func neverTraps(_ test: Case, isStatic: Bool) throws {
        var constants: [TestTensor] = []
        var kernel: [Int64] = []
        for case ("kernel_shape", .ints(let shape)) in test.attributes { kernel = shape }
        if test.type.hasPrefix("Conv") {
            let count = Int(kernel.reduce(1, *))
            constants = [TestTensor("w", dims: [1, 1] + kernel, floats: [Float](repeating: 1, count: count))]
        }
        let attributes = test.attributes + (test.type == "LpPool" ? [("p", .int(2))] : [])
        let dims: [TestValue.Dim] = isStatic ? [1, 1, 4, 4] : ["n", "c", "h", "w"]
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode(test.type, ["x"] + constants.map(\.name), ["y"], attributes)],
                inputs: [TestValue("x", dims)], outputs: [TestValue("y", nil)], initializers: constants),
            opsets: [("", 22)])
        do {
            let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
            let x = Tensor(shape: [1, 1, 4, 4], scalars: (1...16).map { Float($0) })
            #expect(try session.run(["x": x])["y"]?.scalars() == test.values)
        } catch let error as SardonyxError {
            #expect(test.values == nil, "\(error)")
            #expect([.invalidModel, .unsupported, .memory].contains(error.code), "\(error)")
        }
    }

    /// Inputs as large as tensors may be: a plan needs more memory than there is, in values, scratch or packed weights.
    @Test(arguments: ["Conv", "ConvTranspose", "MaxPool", "Resize", "Softmax", "MatMul", "InstanceNormalization"])
    func plansOfTheLargestImages(type: String) throws {
        var inputs = ["x"]
        var constants: [TestTensor] = []
        var attributes: [(String, TestAttribute)] = []
        switch type {
        case "Conv", "ConvTranspose":
            constants = [TestTensor("w", dims: [8, 8, 3, 3], floats: .init(repeating: 1, count: 576))]
        case "MaxPool": attributes = [("kernel_shape", .ints([3, 3]))]
        case "Resize":
            constants = [TestTensor("roi", dims: [0], floats: []), TestTensor("s", dims: [4], floats: [1, 1, 2, 2])]
        case "InstanceNormalization":
            constants = ["a", "b"].map { TestTensor($0, dims: [8], floats: .init(repeating: 1, count: 8)) }
        default: break
        }
        inputs += type == "MatMul" ? ["x"] : constants.map(\.name)
        let bytes = modelBytes(
            TestGraph(
                nodes: [TestNode(type, inputs, ["t"], attributes), TestNode("Sigmoid", ["t"], ["y"])],
                inputs: [TestValue("x", ["n", 8, "h", "w"])], outputs: [TestValue("y", nil)], initializers: constants),
            opsets: [("", 22)])
        let session = try Session(bytes.withUnsafeBytes { try Model(bytes: $0) })
        for shape in [[1, 8, 1 << 20, 1 << 20], [1 << 40, 8, 3, 3], [1, 8, 3, 1 << 40], [1 << 20, 8, 1 << 19, 3]] {
            let error = #expect(throws: SardonyxError.self) { try session.plan(for: ["x": shape]) }
            #expect(
                error.map { [.memory, .invalidModel, .invalidInput].contains($0.code) } == true,
                "\(shape) \(error.map(\.description) ?? "")")
        }
    }
}
