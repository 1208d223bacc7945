import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// First pipelines guessed from a model.
struct PipelineDraftTests {
    static func shape(_ sizes: [Int?]) -> [ModelDescription.Dimension] {
        sizes.map { $0.map { .fixed($0) } ?? .named("n") }
    }

    static func draft(_ input: [Int?], _ output: [Int?], _ last: String = "Conv") throws -> Pipeline {
        let model = ModelDescription(
            inputs: [.init(name: "x", shape: shape(input))],
            outputs: [.init(name: "y", shape: shape(output), lastOperator: last)])
        let (pipeline, notes) = try Pipeline.draft(of: model, name: "x")
        #expect(pipeline.problems() == [])
        #expect(try Pipeline(yaml: pipeline.text(notes: notes)) == pipeline)
        let text = pipeline.text(notes: notes)
        for (field, note) in notes { #expect(text.contains("# " + note), "\(field)") }
        return pipeline
    }

    @Test func segmentation() throws {
        var pipeline = try PipelineDraftTests.draft([1, 1, 96, 96, 96], [1, 3, 96, 96, 96])
        #expect(pipeline.task == .segmentation && pipeline.output.decision == .argmax)
        #expect(pipeline.output.activation == .softmax && pipeline.labels.count == 2)
        #expect(pipeline.tiling.scheme == .monai && pipeline.tiling.size == [96, 96, 96])
        pipeline = try PipelineDraftTests.draft([nil, 1, nil, nil, nil], [nil, 1, nil, nil, nil], "Sigmoid")
        #expect(pipeline.output.decision == .threshold(0.5) && pipeline.output.activation == .none)
        pipeline = try PipelineDraftTests.draft([nil, 1, nil, nil], [nil, 1, nil, nil])
        #expect(pipeline.task == .segmentation && pipeline.output.activation == .sigmoid)
        #expect(pipeline.tiling.multiple == 32 && pipeline.input.axes == .stored([2, 1, 0]))
        pipeline = try PipelineDraftTests.draft([1, 3, 256, 256], [1, 4, 256, 256], "Softmax")
        #expect(pipeline.input.channels.map(\.component) == [0, 1, 2] && pipeline.output.activation == .none)
        #expect(pipeline.input.sampling == .size([nil, 256, 256]) && pipeline.labels.count == 3)
        pipeline = try PipelineDraftTests.draft([1, 4, 128, 128, 128], [1, 3, 128, 128, 128], "Sigmoid")
        #expect(pipeline.labels.count == 3 && pipeline.output.decision == .threshold(0.5))
    }

    @Test func reconstruction() throws {
        #expect(try PipelineDraftTests.draft([nil, 1, nil, nil], [nil, 1, nil, nil], "Add").task == .reconstruction)
        let larger = try PipelineDraftTests.draft([1, 3, 64, 64], [1, 3, 256, 256])
        #expect(larger.task == .reconstruction && larger.tiling.size == [64, 64] && larger.input.sampling == .source)
        #expect(try PipelineDraftTests.draft([1, 3, nil, nil], [1, 3, nil, nil]).task == .reconstruction)
        #expect(try PipelineDraftTests.draft([1, 3, nil, nil], [1, 3, nil, nil], "Softmax").task == .segmentation)
    }

    @Test func classification() throws {
        let pipeline = try PipelineDraftTests.draft([nil, 3, 224, 224], [nil, 10], "Gemm")
        #expect(
            pipeline.task == .classification && pipeline.labels.count == 10 && pipeline.output.activation == .softmax)
        #expect(pipeline.input.sampling == .size([nil, 224, 224]))
        #expect(try PipelineDraftTests.draft([nil, 1, nil, nil], [nil, 1], "Sigmoid").output.activation == .none)
    }

    @Test func detection() throws {
        let model = ModelDescription(
            inputs: [.init(name: "images", shape: PipelineDraftTests.shape([1, 3, 640, 640]))],
            outputs: ["pred_boxes", "pred_scores", "pred_labels"].map { .init(name: $0, shape: nil) })
        let pipeline = try Pipeline.draft(of: model, name: "x").pipeline
        #expect(pipeline.problems() == [])
        #expect(
            pipeline.output.detection
                == Pipeline.Detection(boxes: "pred_boxes", scores: "pred_scores", classes: "pred_labels"))
    }

    @Test func refusals() {
        func refuse(_ inputs: [[Int?]], _ outputs: [[Int?]], _ last: String = "") -> String {
            let model = ModelDescription(
                inputs: inputs.map { .init(name: "x", shape: PipelineDraftTests.shape($0)) },
                outputs: outputs.map { .init(name: "y", shape: PipelineDraftTests.shape($0), lastOperator: last) })
            let error = #expect(throws: PipelineError.self) { try Pipeline.draft(of: model, name: "x") }
            return error?.description ?? ""
        }
        #expect(refuse([[1, 7]], [[1, 2]]).contains("no input is an image"))
        #expect(refuse([], []).contains("the model takes nothing"))
        #expect(refuse([[1, 1, 8, 8]], []).contains("the model has no output"))
        #expect(refuse([[1, 1, 8, 8]], [[1, 8, 8]], "ArgMax").contains("holds labels already"))
    }

    /// Shapes that no model has do not trap.
    @Test func oddShapes() throws {
        for input in [[-1, -5, 0, 0], [1, 1 << 40, 1, 1], [0, 0, 0, 0, 0], [1, 224, 224, 3]] as [[Int?]] {
            for output in [[], [1], [-4], [1, 1 << 50], [1, -1, 2, 2], [1, 1 << 40, 9, 9], [nil, nil, nil, nil]]
                as [[Int?]]
            {
                for last in ["", "Sigmoid", "Add"] { _ = try PipelineDraftTests.draft(input, output, last) }
            }
        }
    }
}
