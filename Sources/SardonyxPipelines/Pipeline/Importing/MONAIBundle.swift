import SardonyxImaging

/// A MONAI bundle's configs/inference.json and metadata.json as a pipeline: what stands in `preprocessing`, `inferer`
/// and `postprocessing`, transform by transform. What a pipeline cannot do is named, all of it.
struct MONAIBundle {
    let configuration: MONAIConfiguration
    private let metadata: Tree?
    private let path: String
    private let name: String
    let reader = TreeReader()

    init(inference: Tree, metadata: Tree?, path: String, name: String) {
        configuration = MONAIConfiguration(root: inference)
        self.metadata = metadata
        self.path = path
        self.name = name
    }

    /// - Throws: `PipelineError` with everything that cannot be done.
    func pipeline() throws -> Pipeline {
        let root = configuration.root
        let before = root["preprocessing"] ?? root["pre_transforms"] ?? root["dataset"]?["transform"]
        if before == nil {
            reader.add(root, "preprocessing", "the field is missing", "check that this is a bundle's inference")
        }
        let (tiling, window) = readInferer()
        let dimensions = readDimensions(window)
        let steps = before.map({ configuration.transforms($0, path: "preprocessing") }) ?? []
        // What is loaded as "image" goes into the network; of other names the first.
        let loaded = steps.filter { $0.name == "LoadImaged" }.flatMap { $0.texts("keys") ?? [] }
        let key = loaded.contains("image") ? "image" : loaded.first ?? "image"
        var preparation = MONAIPreparation(
            dimensions: dimensions, window: window, channels: readChannels(dimensions), key: key)
        for component in steps { preparation.add(component, reader) }
        let after = root["postprocessing"] ?? root["post_transforms"]
        let inputs = steps.flatMap { $0.texts("keys") ?? [] }
        var result = MONAIResult(after: preparation, inputs: Set(inputs).union(["image", "label"]), key: key)
        for component in after.map({ configuration.transforms($0, path: "postprocessing") }) ?? [] {
            result.add(component, reader)
        }
        var pipeline = Pipeline(
            name: metadata?["name"]?.text ?? name, task: readTask(result), input: preparation.input,
            tiling: preparation.tiling(tiling, reader), output: result.output, labels: [],
            postprocessing: result.postprocessing)
        complete(&pipeline, result)
        if reader.problems.isEmpty { reader.add(pipeline.problems()) }
        guard reader.problems.isEmpty else { throw PipelineError(path: path, problems: reader.problems) }
        return pipeline
    }

    private func port(_ kind: String) -> Tree? { metadata?["network_data_format"]?[kind]?.map?.first?.value }

    /// The network's class and arguments.
    private var network: MONAIComponent? {
        let tree = configuration.root["network_def"] ?? configuration.root["network"]
        return tree.flatMap {
            $0.map == nil ? nil : MONAIComponent($0, path: "network_def", configuration: configuration)
        }
    }

    /// 2 or 3 axes, by the tiles, else by the network, else by the metadata.
    private func readDimensions(_ window: MONAIWindow) -> Int {
        let count =
            window.size?.count ?? network?["spatial_dims"]?.integer ?? port("inputs")?["spatial_shape"]?.list?.count
            ?? 3
        return min(max(count, 2), 3)
    }

    private func readChannels(_ dimensions: Int) -> [Pipeline.Channel] {
        let port = port("inputs")
        // A network's argument of that name may be of its last layer.
        let count = port?["num_channels"]?.integer ?? network?["in_channels"]?.integer ?? 1
        let names = (0..<min(max(count, 1), 64)).map { n -> String in
            let given = port?["channel_def"]?["\(n)"]?.text
            return given ?? (count == 1 ? port?["modality"]?.text : nil) ?? "channel \(n)"
        }
        // A picture's colours are one file, modalities are a file each.
        let isColour =
            count == 3 && (dimensions == 2 || port?["format"]?.text?.lowercased() == "rgb")
        return names.numberingRepeats().enumerated().map {
            Pipeline.Channel(name: $1, component: isColour ? $0 : nil)
        }
    }

    // MARK: - Inferer

    private func readInferer() -> (Pipeline.Tiling, MONAIWindow) {
        let root = configuration.root
        var tiling = Pipeline.Tiling(scheme: .whole, overlap: 0.25, weight: .constant)
        var window = MONAIWindow()
        guard let tree = (root["inferer"] ?? root["evaluator"]?["inferer"]).map({ configuration.resolve($0) }) else {
            reader.add(root, "inferer", "the field is missing", "add a SimpleInferer or SlidingWindowInferer")
            return (tiling, window)
        }
        let inferer = MONAIComponent(tree, path: "inferer", configuration: configuration)
        var arguments = MONAIArguments(inferer, reader)
        switch inferer.name {
        case "SimpleInferer": arguments.ignoreRest()
        case "SlidingWindowInferer", "SlidingWindowInfererAdapt", "SliceInferer":
            tiling.scheme = .monai
            window.sliceAxis = inferer.name == "SliceInferer" ? arguments.integer("spatial_dim") ?? 0 : nil
            let size = arguments.integers("roi_size")
            tiling.size = size ?? []
            window.size = size
            if size == nil { arguments.missing("roi_size") }
            if let size, size.contains(where: { $0 < 1 }) {
                arguments.unsupported("roi_size", "a window as large as the image along one axis")
            }
            tiling.batch = arguments.integer("sw_batch_size") ?? 1
            tiling.overlap = arguments.same("overlap") ?? 0.25
            tiling.sigma = arguments.same("sigma_scale") ?? 0.125
            tiling.padding = arguments.number("cval") ?? 0
            switch arguments.text("mode") ?? "constant" {
            case "constant": tiling.weight = .constant
            case "gaussian": tiling.weight = .gaussian
            default: arguments.unsupported("mode")
            }
            switch arguments.text("padding_mode") ?? "constant" {
            case "constant": break
            case "replicate": tiling.repeatsEdge = true
            default: arguments.unsupported("padding_mode")
            }
            if arguments.flag("with_coord") == true { arguments.unsupported("with_coord") }
            arguments.ignore([
                "sw_device", "device", "progress", "cache_roi_weight_map", "cpu_thresh", "buffer_steps", "buffer_dim",
            ])
            arguments.close()
        default:
            reader.add(
                tree, "inferer", "the inferer \(inferer.name) is not supported",
                "a pipeline has SimpleInferer, SlidingWindowInferer and SliceInferer")
        }
        return (tiling, window)
    }

    // MARK: - Task, labels and results

    private func readTask(_ result: MONAIResult) -> Pipeline.Task {
        let port = port("outputs")
        let words = [port?["type"]?.text, port?["format"]?.text].compactMap { $0?.lowercased() }
        if words.contains("probabilities") || words.contains("classes") || words.contains("classification") {
            return .classification
        }
        return result.output.decision == .values ? .reconstruction : .segmentation
    }

    private func complete(_ pipeline: inout Pipeline, _ result: MONAIResult) {
        let port = port("outputs")
        let count =
            network?["out_channels"]?.integer ?? network?["num_classes"]?.integer ?? port?["num_channels"]?.integer
        let channels = (0..<min(max(count ?? 0, 0), 1000)).map {
            port?["channel_def"]?["\($0)"]?.text ?? "label \($0)"
        }
        func labels(_ names: [String], from first: Int) -> [Pipeline.Label] {
            names.numberingRepeats(from: first).enumerated().map { Pipeline.Label(value: $0 + first, name: $1) }
        }
        switch pipeline.task {
        case .segmentation:
            if count == nil {
                reader.add(
                    configuration.root, "network_def.out_channels", "the number of labels is nowhere",
                    "add it to network_def, or num_channels to network_data_format in metadata.json")
            }
            let isArgmax = pipeline.output.decision == .argmax
            result.checkLabels(count: (count ?? 0) - (isArgmax ? 1 : 0), reader)
            pipeline.labels = labels(isArgmax ? Array(channels.dropFirst()) : channels, from: 1)
            // Channels with a threshold may overlap; MONAI saves each of them.
            let isSeveral = !isArgmax && pipeline.labels.count > 1
            if isSeveral { pipeline.postprocessing = pipeline.postprocessing.map(\.ofChannels) }
            pipeline.results = [
                .init(isSeveral ? .masks : .image, isSeveral ? "masks.nii.gz" : "labels" + result.ending),
                .init(.picture, "overlay.png"), .init(.measures, "measures.csv"), .init(.measures, "measures.json"),
            ]
        case .classification:
            pipeline.labels = labels(channels, from: 0)
            // The decision is the reader's: all probabilities are written.
            pipeline.output.decision = .values
            pipeline.results = [.init(.measures, "classes.csv"), .init(.measures, "classes.json")]
        case .reconstruction, .detection:
            pipeline.results = [.init(.image, "image" + result.ending)]
        }
    }
}

/// What an inferer says about the input.
struct MONAIWindow {
    /// Voxels of a tile.
    var size: [Int]?
    /// The axis that slices follow along, for a 2D network over volumes.
    var sliceAxis: Int?
}
