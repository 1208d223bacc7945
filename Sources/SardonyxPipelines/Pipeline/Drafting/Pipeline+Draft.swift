import SardonyxImaging

extension Pipeline {
    /// A first pipeline for a model, and what was guessed, for `text(comments:notes:)`.
    ///
    /// - Parameters:
    ///   - model: what the model tells.
    ///   - name: of the pipeline.
    ///   - file: of the model, beside the pipeline.
    /// - Returns: a pipeline without problems; notes by field, each a sentence for the one who completes it.
    /// - Throws: `PipelineError` where no input is an image: none of rank 4 (2D) or 5 (3D).
    public static func draft(
        of model: ModelDescription, name: String, file: String = "model.onnx"
    ) throws -> (pipeline: Pipeline, notes: [String: String]) {
        guard let image = model.inputs.first(where: { [4, 5].contains($0.shape?.count) }), let shape = image.shape
        else {
            throw PipelineError(
                path: file, field: "input",
                "no input is an image: [N, C, H, W] or [N, C, D, H, W] was expected, the model takes "
                    + (model.inputs.isEmpty ? "nothing" : model.inputs.map(\.name).joined(separator: ", ")),
                remedy: "write pipeline.yaml by hand (Docs/Pipelines.md)")
        }
        guard let output = model.outputs.first else {
            throw PipelineError(path: file, field: "output", "the model has no output")
        }
        guard output.lastOperator != "ArgMax" else {
            throw PipelineError(
                path: file, field: "output",
                "the output '\(output.name)' holds labels already, a channel a class was expected",
                remedy: "export the network without its last ArgMax, or write pipeline.yaml by hand")
        }
        var draft = Draft(model, image, shape)
        draft.guessInput()
        draft.guessTask()
        draft.guessTiling()
        draft.pipeline.name = name
        draft.pipeline.model = file
        return (draft.pipeline, draft.notes)
    }
}

private struct Draft {
    let model: ModelDescription
    let image: ModelDescription.Port
    /// Behind N and C; `nil` where any size will do.
    let spatial: [Int?]
    let channelCount: Int
    var pipeline = Pipeline(name: "", input: Pipeline.Input(channels: []))
    var notes: [String: String] = [:]

    init(_ model: ModelDescription, _ image: ModelDescription.Port, _ shape: [ModelDescription.Dimension]) {
        self.model = model
        self.image = image
        let first = shape[1].size
        let last = shape[shape.count - 1].size ?? 0
        // TensorFlow's order, where it is plain to see.
        let isLast = (1...4).contains(last) && (first ?? 9) > 4
        channelCount = min(max(isLast ? last : first ?? 1, 1), 64)
        spatial = (isLast ? shape[1..<(shape.count - 1)] : shape[2...]).map(\.size)
        if isLast { notes["input"] = "The model's channels stand last; export it with channels first: [N, C, …]." }
        if first == nil, !isLast { notes["input.channels"] = "The model does not say how many channels it takes." }
    }

    private var is3D: Bool { spatial.count == 3 }
    /// The tile that the model asks for.
    private var fixed: [Int]? {
        let sizes = spatial.compactMap { $0 }
        return sizes.count == spatial.count && sizes.allSatisfy { (1...65536).contains($0) } ? sizes : nil
    }

    mutating func guessInput() {
        pipeline.input.name = model.inputs.count > 1 ? image.name : nil
        if model.inputs.count > 1 {
            let others = model.inputs.map(\.name).filter { $0 != image.name }
            notes["input.name"] =
                "The model has other inputs too (\(others.joined(separator: ", "))), which get nothing."
        }
        let isColour = channelCount == 3 && !is3D
        let names =
            isColour
            ? ["red", "green", "blue"]
            : channelCount == 1 ? ["image"] : (1...channelCount).map { "channel \($0)" }
        pipeline.input.channels = names.indices.map { n in
            Pipeline.Channel(
                name: names[n], component: isColour ? n : nil,
                intensity: isColour
                    ? [.scale(low: 0, high: 255, newLow: 0, newHigh: 1, clips: false)]
                    : [.scaleToRange(newLow: 0, newHigh: 1, region: .everything)])
        }
        if notes["input.channels"] == nil, !isColour {
            notes["input.channels"] = "Name the modalities as they were in training: CT, T1, FLAIR …"
        }
        notes["input.channels[0].intensity"] =
            isColour
            ? "Guessed. Networks trained on photographs often add normalize: {mean: 0.485, deviation: 0.229} and so on."
            : "Guessed: use the scaling of the training, for CT perhaps scale: {from: [-57, 164], clip: true}."
        pipeline.input.axes = is3D ? .anatomical(.ras) : .stored([2, 1, 0])
        notes["input.axes"] =
            is3D
            ? "Guessed: MONAI's usual order is RAS; nnU-Net's is kji."
            : "Rows, then columns of each stored slice or picture."
    }

    mutating func guessTask() {
        let output = model.outputs[0]
        func find(_ words: [String]) -> String? {
            model.outputs.first { port in words.contains { port.name.lowercased().contains($0) } }?.name
        }
        if let boxes = find(["box"]), let scores = find(["score", "conf", "prob"]), boxes != scores {
            pipeline.task = .detection
            let classes = find(["label", "class"])
            pipeline.output.detection = Pipeline.Detection(
                boxes: boxes, scores: scores, classes: classes == boxes || classes == scores ? nil : classes)
            notes["output.detection"] = "Guessed from the outputs' names; check form and relative."
            pipeline.results = [
                .init(.measures, "boxes.csv"), .init(.measures, "boxes.json"), .init(.picture, "overlay.png"),
            ]
        } else if let rank = output.shape?.count, rank <= 2 {
            pipeline.task = .classification
            guessActivation(output, count: output.shape?.last?.size ?? 1)
            let count = output.shape?.last?.size ?? 0
            pipeline.labels = (0..<(count <= 1000 ? max(count, 0) : 0)).map { .init(value: $0, name: "class \($0)") }
            if !pipeline.labels.isEmpty { notes["labels"] = "Name the classes." }
            pipeline.results = [.init(.measures, "classes.csv"), .init(.measures, "classes.json")]
        } else {
            guessVoxels(output)
        }
        if model.outputs.count > 1, pipeline.task != .detection {
            pipeline.output.name = output.name
            notes["output.name"] =
                "The first of the model's outputs: \(model.outputs.map(\.name).joined(separator: ", "))."
        }
    }

    /// An output of the input's rank: labels, or an image.
    private mutating func guessVoxels(_ output: ModelDescription.Port) {
        let shape = output.shape ?? []
        let count = min(max(shape.count > 2 ? shape[1].size ?? 1 : 1, 1), 1000)
        let sizes = shape.dropFirst(2).map(\.size)
        let isLarger = zip(sizes, spatial).contains { pair in
            if let new = pair.0, let old = pair.1 { return new > old }
            return false
        }
        // Logits come out of a convolution; images as well, but then mostly added to the input or bounded.
        let isImageLike = ["Add", "Sub", "Tanh", "Clip", "Relu", "DepthToSpace"].contains(output.lastOperator)
        let isColour = count == 3 && channelCount == 3 && !is3D
        let isProbability = ["Sigmoid", "HardSigmoid", "Softmax"].contains(output.lastOperator)
        if isLarger || (count == channelCount && !isProbability && (isImageLike || isColour)) {
            pipeline.task = .reconstruction
            pipeline.output.restoresIntensity = true
            notes["task"] =
                "Guessed: as many channels come out as go in"
                + (isLarger
                    ? ", of more pixels."
                    : " (\(output.lastOperator)). For a segmentation: task: segmentation, decision.")
            pipeline.results = [.init(.image, is3D ? "image.nii.gz" : "image.png")]
            return
        }
        pipeline.task = .segmentation
        guessActivation(output, count: count)
        let isArgmax = count > 1 && !["Sigmoid", "HardSigmoid"].contains(output.lastOperator)
        pipeline.output.decision = isArgmax ? .argmax : .threshold(0.5)
        notes["task"] =
            "Guessed: the output has the input's axes and \(count == 1 ? "1 channel" : "\(count) channels")"
            + (output.lastOperator.isEmpty ? "." : " (\(output.lastOperator)).")
        notes["labels"] = "Name the labels" + (isArgmax ? "; channel 0 is the background." : ".")
        pipeline.labels = (1...(isArgmax ? count - 1 : count)).map { .init(value: $0, name: "label \($0)") }
        pipeline.results = [
            .init(.image, is3D ? "labels.nii.gz" : "labels.png"), .init(.picture, "overlay.png"),
            .init(.measures, "measures.csv"), .init(.measures, "measures.json"),
        ]
    }

    private mutating func guessActivation(_ output: ModelDescription.Port, count: Int) {
        switch output.lastOperator {
        case "Sigmoid", "HardSigmoid", "Softmax":
            pipeline.output.activation = .none
            notes["output.activation"] = "The model ends with \(output.lastOperator) itself."
        default:
            pipeline.output.activation = count > 1 ? .softmax : .sigmoid
            notes["output.activation"] = "Guessed: the model gives logits."
        }
    }

    /// Of three axes; slices are kept.
    private func axes(_ sizes: [Int]) -> [Int?] { (sizes.count == 2 ? [nil] : []) + sizes.map { Optional($0) } }

    mutating func guessTiling() {
        let needsWhole = pipeline.task == .classification || pipeline.task == .detection
        // A reconstruction keeps the image's resolution, so that tiles of the model's size go over it.
        if needsWhole || (!is3D && (fixed == nil || pipeline.task == .segmentation)) {
            if let fixed {
                pipeline.input.sampling = .size(axes(fixed))
                notes["input.size"] = "The model's size: the whole image is resampled to it."
            } else if !needsWhole {
                pipeline.tiling.multiple = 32
                notes["tiling.multiple"] = "Guessed: networks that halve the grid five times need multiples of 32."
            } else {
                pipeline.input.sampling = .size(axes(Array(repeating: is3D ? 96 : 224, count: spatial.count)))
                notes["input.size"] = "Guessed: the model takes any size; use that of the training."
            }
            return
        }
        notes["input.spacing"] = "The spacing of the training, where images were resampled:"
        pipeline.tiling = Pipeline.Tiling(scheme: .monai, size: fixed ?? [96, 96, 96], overlap: 0.25)
        notes["tiling.size"] =
            fixed == nil ? "Guessed: the model takes any size; use that of the training." : "The model's size."
    }
}
