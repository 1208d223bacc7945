import SardonyxGraph
import Testing

@testable import SardonyxCompiler

@Suite struct SharedStorageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let title: String
        /// The second step's inputs; values 0 and 1 are made by the first, and nothing reads them later.
        let inputs: [UInt32?]
        let inPlace: [Int]
        /// The value in whose memory the output, value 2, lies.
        let root: UInt32
        var testDescription: String { title }
    }

    @Test(arguments: [
        Case(title: "the first input", inputs: [0, 1], inPlace: [0], root: 0),
        Case(title: "the second input", inputs: [0, 1], inPlace: [1], root: 1),
        Case(title: "the first that may be", inputs: [0, 1], inPlace: [1, 0], root: 1),
        Case(title: "none that may be", inputs: [0, 1], inPlace: [], root: 2),
        Case(title: "a value twice, element by element", inputs: [0, 0], inPlace: [0, 1], root: 0),
        // As a convolution reads its input around the element of the residual that it overwrites.
        Case(title: "a value twice, and read elsewhere", inputs: [0, 0], inPlace: [1], root: 2),
        Case(title: "a value twice, and read later", inputs: [0, 1, 0], inPlace: [0, 1], root: 1),
        Case(title: "an omitted input", inputs: [nil, 1], inPlace: [0, 1], root: 1),
    ])
    func resultsOverwriteInputs(_ test: Case) {
        var kernel = Kernel { _ in }
        kernel.inPlace = [0: test.inPlace]
        let steps = [
            SharedStorage.Step(inputs: [], outputs: [ValueID(0), ValueID(1)], kernel: Kernel { _ in }),
            SharedStorage.Step(
                inputs: test.inputs.map { $0.map { ValueID(Int($0)) } }, outputs: [ValueID(2)], kernel: kernel),
        ]
        let shared = SharedStorage(steps, lastUse: [1, 1, 2], results: [], byteCount: { _ in 64 })
        #expect(shared.resolve(ValueID(2)).root == ValueID(Int(test.root)))
    }
}
